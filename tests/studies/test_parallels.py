"""The parallels: the distance of one day's state to each week of each episode, in plain loops."""

from datetime import date

import numpy as np
import pytest

from engine.panel import Sample
from engine.studies import StudyError, find_study


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def history(request):
    return request.getfixturevalue(f"{request.param}_history")


def _state(history, t: int) -> list[float]:
    """What the document looks at, at close t; windows of 60 sessions."""
    close = history.closes

    def gained(name: str) -> float:
        return close(name)[t] / close(name)[t - 60] - 1.0

    def below_high(name: str) -> float:
        return close(name)[t] / max(close(name)[t - 59 : t + 1]) - 1.0

    vix = close("VIX")
    basket = (gained("XLE") + gained("XLB") + gained("XLU")) / 3.0
    return [
        vix[t],
        np.mean(vix[t - 19 : t + 1]) / np.mean(vix[t - 49 : t + 1]) - 1.0,
        below_high("HYG"),
        below_high("SPY"),
        gained("XLF") - gained("SPY"),
        gained("QQQ") - gained("SPY"),
        basket - gained("IGV"),
    ]


def test_distances_week_by_week(history):
    study = find_study("historical_parallels")
    day = date(2022, 11, 30)
    result = study.run(history, study.parameters(day=day))
    tables = result.tables
    days = history.dates.tolist()
    today = days.index(day)
    known = np.array([_state(history, t) for t in range(60, today + 1)])
    vix = history.closes("VIX")[: today + 1]
    trend = [np.mean(vix[t - 19 : t + 1]) / np.mean(vix[t - 49 : t + 1]) - 1.0 for t in range(49, today + 1)]
    windows = {2: "HYG", 3: "SPY"}
    scale, centre = known.std(axis=0), known.mean(axis=0)
    scale[0], centre[0] = vix.std(), vix.mean()
    scale[1], centre[1] = np.std(trend), np.mean(trend)
    for column, name in windows.items():  # a drawdown needs one session less than a return
        first = history.closes(name)[59] / max(history.closes(name)[:60]) - 1.0
        column_values = np.append(known[:, column], first)
        scale[column], centre[column] = column_values.std(), column_values.mean()
    now = (np.array(_state(history, today)) - centre) / scale
    for name, first, last in (("q4_2018", "2018-09-20", "2018-12-24"), ("rates_2022", "2022-01-03", "2022-10-12")):
        inside = [t for t, each in enumerate(days) if first <= each.isoformat() <= last]
        expected = []
        for t in [place for place in inside[::5] if place <= today - 63]:
            other = (np.array(_state(history, t)) - centre) / scale
            expected.append(np.sqrt(np.mean((now - other) ** 2)))
        found = tables["parallels.distance_by_week"][name].drop_nulls().to_list()
        assert found == pytest.approx(expected, rel=1e-6)
        row = tables["parallels.analogues"].filter(episode=name).row(0, named=True)
        assert row["distance"] == pytest.approx(min(expected))
        assert row["week"] == int(np.argmin(expected))
        place = inside[5 * row["week"]]
        assert row["day"] == days[place]
        spy = history.closes("SPY")
        assert row["equity_1m_after"] == pytest.approx(spy[place + 22] / spy[place + 1] - 1.0)
    closest = tables["parallels.analogues"].row(0, named=True)
    assert f"; {closest['share_of_days_as_close']:.1%} of all earlier days are as close" in result.notes[0]


def test_a_day_knows_nothing_of_what_follows(simulated_market):
    study = find_study("historical_parallels")
    day = date(2023, 6, 1)
    whole = simulated_market.history(Sample(date(2018, 1, 2), date(2026, 3, 6)))
    ended = simulated_market.history(Sample(date(2018, 1, 2), day))
    later, earlier = (study.run(each, study.parameters(day=day)).tables for each in (whole, ended))
    for name in ("parallels.distance_by_week", "parallels.state"):
        assert later[name].equals(earlier[name])


def test_days_without_a_state_are_refused(simulated_history):
    study = find_study("historical_parallels")
    with pytest.raises(StudyError, match="lies before the sample, which begins on 2018-01-02"):
        study.run(simulated_history, study.parameters(day=date(2017, 1, 1)))
    with pytest.raises(StudyError, match="the state of 2018-02-01 is not known"):
        study.run(simulated_history, study.parameters(day=date(2018, 2, 1)))


def test_without_an_earlier_episode_there_is_no_parallel(simulated_market):
    study = find_study("historical_parallels")
    history = simulated_market.history(Sample(date(2023, 1, 3), date(2025, 1, 3)))
    result = study.run(history, study.parameters())
    assert result.tables["parallels.analogues"].is_empty()
    assert result.notes == ("no episode lies before 2025-01-03 in this sample",)
