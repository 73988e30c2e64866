"""The combined credit spread model: against its plain reference, causal, and on the published figures."""

import itertools
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.panel import Panel, PanelError, Sample
from engine.strategies import find_strategy
from engine.strategies.combined_credit_spread import (
    CDX,
    FAVOURABLE,
    HIGH_YIELD,
    LEG,
    MIXED,
    NO_READING,
    UNFAVOURABLE,
    without_roll_jumps,
)
from engine.sweep import strategy_panel
from engine.sweep.rules import trace_rule
from engine.weeks import carry_weekly, last_of_week, weekly_values
from kernels import ema
from parquet_store import Store
from parquet_store.calendar import sessions
from tests.references.combined_credit_spread import combined_credit_spread
from tests.references.pair import Closes, Metrics
from tests.strategies.agreement import agree_on_parameters, agree_on_shipped_grid, is_causal, single
from tests.strategies.credit_panels import known, recent, with_columns
from tests.strategies.panels import cut, without

NAME = "combined_credit_spread"


@pytest.fixture(scope="module")
def panel(market_store: Store) -> Panel:
    return strategy_panel(market_store, find_strategy(NAME), Sample())


def exchange_sessions(days: list[date]) -> list[date]:
    """Sessions of the exchange from the first day to two weeks after the last."""
    return sessions(days[0], days[-1] + timedelta(weeks=2))["date"].to_list()


class Reference:
    """The plain reference on the days of one panel."""

    def __init__(self, panel: Panel) -> None:
        self.days: list[date] = panel.dates.tolist()
        self.exchange: list[date] = exchange_sessions(self.days)

    def __call__(self, closes: dict[str, Closes], **values: Any) -> tuple[list[int], Metrics]:
        _, held, metrics = combined_credit_spread(
            self.days, self.exchange, known(closes[HIGH_YIELD]), known(closes[CDX]), closes[LEG], **values
        )
        return held, metrics


def any_parameters(random: np.random.Generator) -> dict[str, Any]:
    fast, cdx_fast = int(random.integers(1, 25)), int(random.integers(1, 25))
    return {
        "model": str(random.choice(["hy", "cdx", "combined"])),
        "hy_fast_weeks": fast,
        "hy_slow_weeks": fast + int(random.integers(1, 30)),
        "hy_slow_average": str(random.choice(["of_fast_average", "of_closes"])),
        "hy_change_weeks": int(random.integers(1, 6)),
        "cdx_fast_weeks": cdx_fast,
        "cdx_slow_weeks": cdx_fast + int(random.integers(1, 30)),
        "cdx_rolls": str(random.choice(["as_quoted", "removed"])),
        "cdx_roll_day": int(random.integers(18, 29)),
        "warmup_weeks": int(random.integers(1, 40)),
        "exposure_unfavourable": float(random.uniform(-1.0, -0.1)),
        "exposure_mixed": float(random.uniform(0.1, 0.9)),
        "exposure_favourable": float(random.uniform(1.0, 1.5)),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


def wanted(panel: Panel, **parameters: Any) -> NDArray[np.int64]:
    return trace_rule(single(NAME, panel, parameters)).wanted


def test_agrees_with_the_reference_on_any_parameters(panel: Panel) -> None:
    random = np.random.default_rng(31)
    part = recent(panel, 2600)
    reference = Reference(part)
    seen = [agree_on_parameters(NAME, reference, part, any_parameters(random)) for _ in range(12)]
    assert set().union(*seen) == {NO_READING, UNFAVOURABLE, MIXED, FAVOURABLE}
    assert all(postures >= {UNFAVOURABLE, FAVOURABLE} for postures in seen)


def test_agrees_with_the_reference_on_the_shipped_grid(panel: Panel) -> None:
    part = recent(panel, 2600)
    assert agree_on_shipped_grid(NAME, Reference(part), part, count=8, seed=32) >= {NO_READING, MIXED, FAVOURABLE}


def test_agrees_where_values_are_missing(panel: Panel) -> None:
    random = np.random.default_rng(33)
    part = recent(panel, 3000)
    gap = random.random(3000) < 0.3
    gap[1500:1530] = True  # weeks without any value
    gaps = with_columns(part, {name: np.where(gap, np.nan, part.values(name)) for name in (HIGH_YIELD, CDX)})
    reference = Reference(gaps)
    for _ in range(4):
        agree_on_parameters(NAME, reference, gaps, any_parameters(random))
    assert set(wanted(gaps)[1505:1524]) == {NO_READING}


def test_is_causal(panel: Panel) -> None:
    parameters = {"cdx_rolls": "removed", "exposure_unfavourable": -0.5}
    assert is_causal(NAME, recent(panel, 2600), parameters, cuts=6, seed=34)


def test_one_reading_of_the_slow_average_is_a_multiple_of_the_other(panel: Panel) -> None:
    closes = weekly_values(panel, panel.values(HIGH_YIELD))
    for fast, slow in ((13, 28), (5, 40), (1, 2)):
        of_fast = ema(closes, fast) - ema(ema(closes, fast), slow)
        of_closes = ema(closes, fast) - ema(closes, slow)
        a, b = 2 / (fast + 1), 2 / (slow + 1)
        np.testing.assert_allclose(of_fast, of_closes * a * (1 - b) / (a - b), rtol=0, atol=1e-12)


def test_both_readings_hold_the_same(panel: Panel) -> None:
    for fast, slow in ((13, 28), (10, 34)):
        spans = {"model": "hy", "hy_fast_weeks": fast, "hy_slow_weeks": slow}
        states = [wanted(panel, hy_slow_average=reading, **spans) for reading in ("of_fast_average", "of_closes")]
        assert np.array_equal(*states)
        assert {UNFAVOURABLE, FAVOURABLE} <= set(states[0])


def test_a_price_turns_the_sign(panel: Panel) -> None:
    priced = with_columns(panel, {CDX: 120.0 - panel.values(CDX) / 25.0})
    as_price = wanted(priced, model="cdx", cdx_quote="price")
    assert np.array_equal(as_price, wanted(panel, model="cdx"))


@pytest.mark.parametrize(("quote", "scale"), [("price", 1.0), ("spread", 0.2)])
def test_a_quote_that_cannot_be_what_it_is_called_is_refused(panel: Panel, quote: str, scale: float) -> None:
    misnamed = with_columns(panel, {CDX: panel.values(CDX) * scale})
    with pytest.raises(PanelError, match=f"which is no {quote}: set cdx_quote"):
        wanted(misnamed, cdx_quote=quote)


def test_either_model_runs_without_the_other_series(panel: Panel) -> None:
    assert np.array_equal(wanted(without(panel, [CDX]), model="hy"), wanted(panel, model="hy"))
    assert np.array_equal(wanted(without(panel, [HIGH_YIELD]), model="cdx"), wanted(panel, model="cdx"))
    with pytest.raises(PanelError, match="series CDX_NA_HY_5Y is not in the store: `engine data import FILE`"):
        wanted(without(panel, [CDX]))
    with pytest.raises(
        PanelError, match="series BAMLH0A0HYM2 is not in the store: `engine data fetch --series BAMLH0A0HYM2`"
    ):
        wanted(without(panel, [HIGH_YIELD]), model="hy")


def test_decides_at_the_last_session_of_a_week_only(panel: Panel) -> None:
    states = wanted(panel, warmup_weeks=1)
    changes = np.flatnonzero(np.diff(states)) + 1
    assert len(changes) > 30
    assert last_of_week(panel)[changes].all()


def test_the_last_session_of_a_week_is_followed_by_another_week(panel: Panel) -> None:
    days = panel.dates.tolist()
    exchange = exchange_sessions(days)
    following = dict(itertools.pairwise(exchange))
    expected = [following[day].isocalendar()[:2] != day.isocalendar()[:2] for day in days]
    assert last_of_week(panel).tolist() == expected


def test_weekly_values_do_not_reach_into_another_week() -> None:
    # Good Friday 2024-03-29 is no session; the week of 2024-04-01 has no value at all.
    dates = np.arange("2024-03-25", "2024-04-13", dtype="datetime64[D]")
    dates = dates[np.is_busday(dates) & (dates != np.datetime64("2024-03-29"))]
    values = np.where(dates < np.datetime64("2024-03-28"), 3.0, np.nan)
    values[-1] = 5.0
    panel = Panel(dates, MappingProxyType({"x": values}), 0, None, None, simulated=True)
    weekly = weekly_values(panel, values)
    np.testing.assert_array_equal(weekly, [3.0, np.nan, 5.0])
    carried = carry_weekly(panel, weekly)
    np.testing.assert_array_equal(carried, [np.nan] * 3 + [3.0] * 5 + [np.nan] * 5 + [5.0])
    assert weekly_values(cut(panel, 3), values[:3]).size == 0


def test_a_roll_is_taken_out_and_nothing_else(panel: Panel) -> None:
    quotes = panel.values(CDX)
    rolled = quotes + 30.0 * np.cumsum(first_after_rolls(panel.dates, quotes))
    removed, removed_from_rolled = (without_roll_jumps(panel.dates, values, 27) for values in (quotes, rolled))
    np.testing.assert_allclose(removed_from_rolled, removed, rtol=0, atol=1e-9)
    kept = ~first_after_rolls(panel.dates, quotes)[1:] & ~np.isnan(quotes[1:]) & ~np.isnan(quotes[:-1])
    np.testing.assert_allclose(np.diff(removed)[kept], np.diff(quotes)[kept], rtol=0, atol=1e-9)
    note = find_strategy(NAME).notes
    assert note is not None
    assert "taken" not in (note(panel, "hy", "as_quoted", 27) or "")
    assert "which counts as news" in (note(panel, "combined", "as_quoted", 27) or "")


def first_after_rolls(dates: NDArray[np.datetime64], quotes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The first quote on or after the 27th of March and of September, the first quote of all apart."""
    marks = np.zeros(len(dates), np.bool_)
    last: date | None = None
    for row, day in enumerate(dates.tolist()):
        if np.isnan(quotes[row]):
            continue
        rolls = [date(day.year, month, 27) for month in (3, 9)]
        marks[row] = last is not None and any(last < roll <= day for roll in rolls)
        last = day
    return marks


@pytest.mark.real_data
def test_published_growth_of_the_high_yield_model(real_store: Store) -> None:
    panel = strategy_panel(real_store, find_strategy(NAME), Sample())
    states = wanted(panel, model="hy")
    ends = np.flatnonzero(last_of_week(panel))
    assert str(panel.dates[ends][states[ends] != NO_READING][0]) == "1997-04-25"
    assert str(panel.dates[ends][-1]) == "2026-03-27"
    index = panel.values(LEG)
    next_week = index[ends[1:]] / index[ends[:-1]]  # from one weekly close to the next: not tradable
    published = {state: np.prod(next_week[states[ends[:-1]] == state]) for state in (UNFAVOURABLE, FAVOURABLE)}
    assert published[FAVOURABLE] == pytest.approx(12.2, abs=0.05)
    assert 0.68 <= published[UNFAVOURABLE] <= 0.70

    traded = index[ends[1:-1] + 1] / index[ends[:-2] + 1]  # from the first close of a week to that of the next
    tradable = {state: np.prod(traded[states[ends[:-2]] == state]) for state in (UNFAVOURABLE, FAVOURABLE)}
    assert tradable[FAVOURABLE] < 0.8 * published[FAVOURABLE]
    assert tradable[UNFAVOURABLE] > 1.3 * published[UNFAVOURABLE]
