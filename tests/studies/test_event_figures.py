"""Every published figure of the event studies comes out of the real market to its printed digit, or is known not to."""

import pytest

from engine.studies import History, find_study
from engine.studies.published import agrees, load_published
from tests.studies.runs import figures, result_of

STUDIES = (
    "bitcoin_stress",
    "bitcoin_vix_spikes",
    "breadth_clusters",
    "capitulation_distribution",
    "capitulation_returns",
    "high_yield_drawdowns",
    "momentum_crashes",
    "momentum_spread",
    "momentum_worst_weeks",
    "signal_quality",
    "signal_sequence",
)

NOT_IN_THE_DATA = {
    "btc.summary.return_range",
    "btc.summary.corr_spy_range",
    "btc.summary.fell_harder_than_equities",
    "capitulation.hyg_drawdown_5pct.triggers",
    "capitulation.hyg_drawdown_5pct.year",
    "capitulation.sequence.breadth",
    "capitulation.sequence.vix_band",
    "capitulation.sequence.credit",
    "momentum.recovery.liquidation_months_to_bottom",
    "momentum.recovery.rotation_weeks_to_recovery",
}
"""What the document says and the data do not."""


@pytest.mark.parametrize("name", STUDIES)
def test_published_figures_come_out_to_the_printed_digit(name: str, real_history: History):
    published = load_published().figures
    found = figures(result_of(name, real_history))
    keys = find_study(name).answers
    asked = [key for key in published if any(key == own or key.startswith(f"{own}.") for own in keys)]
    assert asked
    for key in asked:
        figure = found[key]
        assert agrees(published[key].printed, figure.reproduced) == (key not in NOT_IN_THE_DATA), key
        assert figure.reason
        assert figure.published is None
