"""Every study on samples that hold little or nothing: a valid result, or one sentence; and what all tables share."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType

import numpy as np
import pytest

from engine.inference import benjamini_hochberg
from engine.panel import PanelError, Sample
from engine.report.studies import study_json
from engine.studies import History, Market, Period, StudyError, StudyResult, find_study, study_names
from engine.studies.running import StudyRun
from tests.studies.runs import sample_of

WITHOUT_SERIES = {"documented_settings"}


def without(history: History, series: Sequence[str], days: slice = slice(None)) -> History:
    """The same history, in which some series are unknown on some sessions."""
    columns = dict(history.panel.columns)
    for name in series:
        columns[name] = columns[name].copy()
        columns[name][days] = np.nan
    return replace(history, panel=replace(history.panel, columns=MappingProxyType(columns), _indicators={}))


def asked(name: str, history: History) -> StudyResult | None:
    """Ask one study: its result, which can be written as JSON, or None where it refuses in one sentence."""
    study = find_study(name)
    parameters = study.parameters()
    try:
        result = study.run(history, parameters)
    except StudyError as refused:
        sentence = str(refused)
    else:
        sentence = ""
    if sentence:
        assert len(sentence.splitlines()) == 1
        return None
    json.loads(study_json(StudyRun(study, parameters, history, result)))
    return result


@pytest.mark.parametrize("name", study_names())
def test_short_samples(simulated_market: Market, name: str) -> None:
    for last, least in ((date(2020, 3, 2), 1), (date(2020, 3, 3), 2), (date(2020, 3, 4), 3), (date(2020, 4, 17), 34)):
        history = simulated_market.history(sample_of(date(2020, 3, 2), last))
        assert len(history.dates) == least
        found = asked(name, history)
        assert found is None or least > 2 or name in WITHOUT_SERIES
    weekend = Period("weekend", "An episode without a session", date(2020, 3, 7), date(2020, 3, 8))
    asked(name, replace(history, periods=(weekend,)))
    with pytest.raises(PanelError, match="holds no session with data"):
        simulated_market.history(sample_of(date(2020, 2, 29), date(2020, 3, 1)))


@pytest.mark.parametrize("name", [name for name in study_names() if name not in WITHOUT_SERIES])
def test_a_sample_without_the_data_is_refused_by_their_names(simulated_market: Market, name: str) -> None:
    study = find_study(name)
    history = simulated_market.history(sample_of(date(2020, 3, 2), date(2020, 9, 30)))
    series = [each.split("@")[0] for each in study.series(study.parameters())]
    with pytest.raises(StudyError, match=f"{series[-1].replace('^', '.')} ha.* fewer than 2 daily changes in 2020"):
        study.run(without(history, [series[-1]]), study.parameters())


def test_series_that_are_never_known_together_are_refused(simulated_market: Market) -> None:
    history = simulated_market.history(sample_of(date(2020, 3, 2), date(2020, 9, 30)))
    apart = without(without(history, ["SPY"], slice(0, 60)), ["QQQ"], slice(60, None))
    study = find_study("momentum_spread")
    with pytest.raises(StudyError, match="QQQ, SPY have fewer than 2 daily changes in common in 2020-03-02"):
        study.run(apart, study.parameters())


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["pair_performance", "vix_returns", "vix_regimes", "stress_correlations", "spread_monitor_rules"]
)
def test_the_funds_of_2008_are_not_in_the_real_data(real_market: Market, name: str) -> None:
    study = find_study(name)
    history = real_market.history(Sample(date(2008, 1, 2), date(2009, 12, 31)))
    with pytest.raises(
        StudyError, match=r"fewer than 2 daily changes in 2008-01-02\.\.2009-12-31: choose a sample that"
    ):
        study.run(history, study.parameters())


def test_a_regime_whose_last_close_is_missing_has_no_return(simulated_history: History) -> None:
    study = find_study("vix_regimes")
    table = study.run(simulated_history, study.parameters()).tables["vix.regimes"]
    place = simulated_history.dates.tolist().index(table["last"][0])
    gap = without(simulated_history, ["SPY"], slice(place, place + 1))
    found = asked("vix_regimes", gap)
    assert found is not None
    assert found.tables["vix.regimes"]["spy"].to_list() == [None, *table["spy"].to_list()[1:]]
    figures = {figure.id: figure.reproduced for figure in found.figures}
    assert figures[f"vix.regimes.{table['first'][0]}.spy"] is None


@pytest.mark.parametrize("name", study_names())
def test_every_p_value_stands_beside_the_adjusted_one(simulated_market: Market, name: str) -> None:
    found = asked(name, simulated_market.history(sample_of(date(2018, 1, 2), date(2021, 6, 30))))
    assert found is not None
    for table in found.tables.values():
        for column in (column for column in table.columns if column.endswith("p_value")):
            assert column.removeprefix("adjusted_") in {"p_value", "null_p_value"}
            if not column.startswith("adjusted_"):
                expected = benjamini_hochberg(table[column].to_list())
                assert table[f"adjusted_{column}"].to_list() == list(expected)
        assert "q_value" not in table.columns
