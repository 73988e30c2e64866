"""Correlations, drawdowns and slope turns, again in plain loops from the document's words."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest

from engine.studies import find_study

EPISODES = (("2018-09-20", "2018-12-24"), ("2020-02-19", "2020-03-23"), ("2022-01-03", "2022-10-12"))


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def history(request):
    return request.getfixturevalue(f"{request.param}_history")


def _stressed(day) -> bool:
    return any(first <= day.isoformat() <= last for first, last in EPISODES)


def test_correlations_on_days_of_stress_and_on_others(history):
    study = find_study("stress_correlations")
    result = study.run(history, study.parameters(pairs="XLE/IGV,HYG/SPY"))
    found = {figure.id: figure.reproduced for figure in result.figures}
    days = history.dates.tolist()
    for one, other in (("XLE", "IGV"), ("HYG", "SPY")):
        values = {}
        for stress in (True, False):
            x, y = [], []
            for t in range(1, len(days)):
                if _stressed(days[t]) is stress:
                    x.append(history.closes(one)[t] / history.closes(one)[t - 1] - 1.0)
                    y.append(history.closes(other)[t] / history.closes(other)[t - 1] - 1.0)
            mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
            top = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
            values[stress] = top / (sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)) ** 0.5
        key = f"pair.correlations.{one.lower()}_{other.lower()}"
        assert found[f"{key}.stress"] == pytest.approx(values[True])
        assert found[f"{key}.normal"] == pytest.approx(values[False])
        assert found[f"{key}.delta"] == pytest.approx(values[True] - values[False])


def test_correlations_count_the_returns_that_both_have(simulated_history):
    study = find_study("stress_correlations")
    days = simulated_history.dates.tolist()
    columns = dict(simulated_history.panel.columns)
    columns["IGV"] = columns["IGV"].copy()
    columns["IGV"][:900] = np.nan
    panel = replace(simulated_history.panel, columns=MappingProxyType(columns), _indicators={})
    result = study.run(replace(simulated_history, panel=panel), study.parameters(pairs="XLE/IGV,XLF/SPY"))
    counted = {figure.id.removeprefix("pair.correlations."): figure.n for figure in result.figures}
    for pair, first in (("xle_igv", 901), ("xlf_spy", 1)):
        stressed = sum(_stressed(day) for day in days[first:])
        assert counted[f"{pair}.stress"] == stressed
        assert counted[f"{pair}.normal"] == len(days[first:]) - stressed
        assert counted[f"{pair}.delta"] is None


def test_drawdowns_and_peaks_inside_each_episode(history):
    study = find_study("drawdowns")
    result = study.run(history, study.parameters())
    found = {figure.id: figure.reproduced for figure in result.figures}
    days = history.dates.tolist()
    for name, (first, last) in zip(("q4_2018", "covid_2020", "rates_2022"), EPISODES, strict=True):
        inside = [t for t, day in enumerate(days) if first <= day.isoformat() <= last]
        for market in ("SPY", "QQQ", "XLF", "XLE", "IGV", "HYG"):
            high, worst = 0.0, 0.0
            for t in inside:
                close = history.closes(market)[t]
                high = max(high, close)
                worst = min(worst, close / high - 1.0)
            assert found[f"parallels.max_drawdown.{market.lower()}.{name}"] == pytest.approx(worst)
        assert found[f"parallels.max_drawdown.vix_peak.{name}"] == max(history.closes("VIX")[t] for t in inside)
        energy = history.closes("XLE")[inside[-1]] / history.closes("XLE")[inside[0]] - 1.0
        assert found[f"parallels.max_drawdown.xle.total_{last[:4]}"] == pytest.approx(energy)


def test_turns_of_the_long_average_and_the_bottoms_after_them(history):
    study = find_study("xlf_slope_events")
    table = study.run(history, study.parameters()).tables["pair.xlf_slope_events"]
    xlf, spy, days = history.closes("XLF"), history.closes("SPY"), history.dates.tolist()
    average = [np.mean(xlf[t - 199 : t + 1]) if t >= 199 else np.nan for t in range(len(days))]
    falls = [t >= 219 and average[t] / average[t - 20] - 1.0 < 0.0 for t in range(len(days))]
    turns = [t for t in range(1, len(days)) if falls[t] and not falls[t - 1]]
    assert table["turned"].to_list() == [days[t] for t in turns]
    assert turns
    for t, row in zip(turns, table.iter_rows(named=True), strict=True):
        low = min(range(t, min(t + 126, len(days))), key=lambda k: spy[k])
        assert row["bottom"] == days[low]
        assert row["weeks_to_bottom"] == pytest.approx((days[low] - days[t]) / timedelta(weeks=1))
        assert row["further_drawdown"] == pytest.approx(spy[low] / spy[t] - 1.0)


def test_what_a_buyer_after_a_turn_earned(history):
    study = find_study("xlf_slope_events")
    tables = study.run(history, study.parameters()).tables
    spy, days = history.closes("SPY"), history.dates.tolist()
    places = [days.index(day) for day in tables["pair.xlf_slope_events"]["turned"].to_list()]
    for row in tables["pair.xlf_slope_events.forward"].iter_rows(named=True):
        horizon = row["sessions"]
        earned = [spy[t + 1 + horizon] / spy[t + 1] - 1.0 for t in places if t + 1 + horizon < len(days)]
        assert row["n"] == len(earned)
        assert row["mean"] == pytest.approx(np.mean(earned))


def test_a_pair_without_a_slash_is_refused():
    from engine.parameters import ParameterError, parse_parameters

    with pytest.raises(ParameterError, match="two series with a slash between them"):
        parse_parameters(find_study("stress_correlations").parameters, {"pairs": "XLE"}, where="study")
