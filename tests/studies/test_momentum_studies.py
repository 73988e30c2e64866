"""Spread, worst weeks and crashes of momentum against plain loops, on the simulated and on the real market."""

from datetime import date

import polars as pl
import pytest

from engine.studies import History, Market, StudyError
from tests.references import event_studies as plain
from tests.references.pair import drawdown_from_high
from tests.studies.runs import figures, result_of, sample_of

LISTED = [date(2021, 3, 8), date(2020, 3, 30), date(2022, 4, 11), date(2020, 9, 8)]
"""Worst weeks of the document, in its order, from its first four."""


def test_the_spread_is_described_as_by_hand(history: History):
    result = result_of("momentum_spread", history)
    expected = plain.spread_statistics(list(history.closes("QQQ")), list(history.closes("SPY")))
    found = {name.rsplit(".", 1)[1]: figure.reproduced for name, figure in figures(result).items()}
    assert found == pytest.approx(expected, rel=1e-9)
    assert all(figure.tradable is None for figure in result.figures)
    years = result.tables["momentum.spread.by_year"]
    assert years["days"].sum() == len(history.dates) - 1


def test_the_worst_weeks_are_those_found_by_hand(history: History):
    dates, spy, qqq = history.dates.tolist(), list(history.closes("SPY")), list(history.closes("QQQ"))
    hyg = drawdown_from_high(tuple(history.closes("HYG")), 20)
    spread = plain.weekly_spread(qqq, spy)
    found = figures(result_of("momentum_worst_weeks", history))
    chosen = plain.worst_weeks(qqq, spy, 8)
    assert [name for name in found if name.endswith(".spread")] == [
        f"momentum.worst_weeks.{dates[t]}.spread" for t in chosen
    ]
    table = result_of("momentum_worst_weeks", history).tables["momentum.worst_weeks"]
    for t, row in zip(chosen, table.iter_rows(named=True), strict=True):
        key = f"momentum.worst_weeks.{dates[t]}"
        assert found[f"{key}.spread"].reproduced == pytest.approx(spread[t], rel=1e-9)
        assert found[f"{key}.spy_next30"].reproduced == pytest.approx(plain.thirty_calendar_days_on(dates, spy, t))
        assert found[f"{key}.spy_next30"].tradable == pytest.approx(plain.bought_at_the_next_close(spy, t, 21))
        drawdown = hyg[t]
        assert row["type"] == (None if drawdown is None else "liquidation" if drawdown < -0.03 else "rotation")


def test_the_documents_worst_weeks_come_in_its_order(real_history: History):
    table = result_of("momentum_worst_weeks", real_history).tables["momentum.worst_weeks"]
    assert table["date"].to_list()[: len(LISTED)] == LISTED


def test_crashes_have_the_course_that_a_walk_finds(history: History):
    dates, spy, qqq = history.dates.tolist(), list(history.closes("SPY")), list(history.closes("QQQ"))
    spread = plain.weekly_spread(qqq, spy)
    hyg = drawdown_from_high(tuple(history.closes("HYG")), 20)
    crash = [value is not None and value < -0.025 for value in spread]
    crashes = result_of("momentum_crashes", history).tables["momentum.crashes"]
    walked = plain.runs_of(crash)
    assert crashes.height == len(walked) > 5
    for (first, last), row in zip(walked, crashes.iter_rows(named=True), strict=True):
        course = plain.course_after(spy, first)
        assert (row["first"], row["last"], row["days"]) == (dates[first], dates[last], last - first + 1)
        drawdown = hyg[first]
        expected = None if drawdown is None else "liquidation" if drawdown < -0.03 else "rotation"
        assert row["type"] == expected
        assert row["bottom"] == dates[course.bottom]
        assert row["weeks_to_bottom"] == pytest.approx((dates[course.bottom] - dates[first]).days / 7)
        assert row["further_fall"] == pytest.approx(spy[course.bottom] / spy[first] - 1.0)
        if course.recovery is None:
            assert row["recovery"] is None
            assert row["weeks_to_recovery"] is None
        else:
            assert row["recovery"] == dates[course.recovery]
            assert row["weeks_to_recovery"] == pytest.approx((dates[course.recovery] - dates[first]).days / 7)
        assert row["one_month_traded"] == pytest.approx(plain.bought_at_the_next_close(spy, first, 21))


def test_what_followed_each_type_is_the_mean_by_hand(history: History):
    spy, qqq = list(history.closes("SPY")), list(history.closes("QQQ"))
    spread = plain.weekly_spread(qqq, spy)
    hyg = drawdown_from_high(tuple(history.closes("HYG")), 20)
    table = result_of("momentum_crashes", history).tables["momentum.crashes.by_type"]
    for kind in ("liquidation", "rotation"):
        days = [
            t
            for t, value in enumerate(spread)
            if value is not None
            and value < -0.025
            and hyg[t] is not None
            and (hyg[t] < -0.03) == (kind == "liquidation")  # type: ignore[operator]
        ]
        for horizon in (21, 63):
            expected = plain.summary([plain.bought_at_the_next_close(spy, t, horizon) for t in days])
            row = table.row(by_predicate=(pl.col("type") == kind) & (pl.col("horizon") == horizon), named=True)
            assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_a_market_without_crashes_gives_empty_tables(real_history: History):
    result = result_of("momentum_crashes", real_history, crash_spread=-0.9)
    assert result.tables["momentum.crashes"].height == 0
    assert figures(result)["momentum.recovery.liquidation_months_to_bottom"].reproduced is None
    assert result.tables["momentum.crashes.by_type"]["n"].to_list() == [0, 0, 0, 0]


def test_any_symbols_may_take_the_parts(real_history: History):
    swapped = result_of("momentum_spread", real_history, growth="IWM", equity="QQQ")
    expected = plain.spread_statistics(list(real_history.closes("IWM")), list(real_history.closes("QQQ")))
    assert figures(swapped)["momentum.spread.mean"].reproduced == pytest.approx(expected["mean"])
    weeks = result_of("momentum_worst_weeks", real_history, growth="IWM", equity="QQQ", credit="LQD")
    first = weeks.tables["momentum.worst_weeks"]["date"][0]
    chosen = plain.worst_weeks(list(real_history.closes("IWM")), list(real_history.closes("QQQ")), 1)
    assert first == real_history.dates[chosen[0]].item()


def test_a_sample_without_returns_is_refused(real_market: Market):
    short = real_market.history(sample_of(date(2020, 3, 2), date(2020, 3, 2)))
    with pytest.raises(StudyError, match="fewer than 2 daily changes"):
        result_of("momentum_spread", short)
