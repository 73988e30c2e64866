"""A small universe with made-up histories: one series of each kind that a fetch has to deal with."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from parquet_store import SeriesSpec, Universe, sessions

FIRST = date(2019, 1, 2)
LAST = date(2024, 6, 28)

Bar = tuple[date, float, float, float, float, int]


@dataclass
class Market:
    """What providers know: values and bars by their own symbols, actions, and days on which values were revised.

    Attributes
    ----------
    values
        FRED's series: day and value.
    bars
        Yahoo's and Cboe's series: day, open, high, low, close, volume, as traded, before any split.
    dividends, splits
        By symbol: ex-date and amount a share as traded, or ratio.
    shown
        FRED's vintages: day of the value, value, and the day on which it came out.
    """

    values: dict[str, list[tuple[date, float]]] = field(default_factory=dict)
    bars: dict[str, list[Bar]] = field(default_factory=dict)
    dividends: dict[str, list[tuple[date, float]]] = field(default_factory=dict)
    splits: dict[str, list[tuple[date, float]]] = field(default_factory=dict)
    shown: dict[str, list[tuple[date, float, date]]] = field(default_factory=dict)


def universe() -> Universe:
    """Return the universe of the made-up market."""
    price = {"kind": "price", "calendar": "nyse", "known": "session_close", "stale_after_days": 5, "starts": FIRST}
    macro = {"kind": "macro", "source": "fred", "unit": "percent", "starts": FIRST}
    daily = {"calendar": "bond", "known": "next_session_morning", "stale_after_days": 7, "other_days": "weekdays"}
    monthly = {"calendar": "monthly", "known": "first_friday_next_month", "stale_after_days": 70}
    entries: Sequence[Mapping[str, object]] = (
        {**price, "name": "FUND", "source": "yahoo", "unit": "usd", "basis": "split_adjusted"},
        {
            **price,
            "name": "COIN-USD",
            "source": "yahoo",
            "unit": "usd",
            "basis": "split_adjusted",
            "calendar": "daily",
            "known": "next_midnight_utc",
        },
        {
            **price,
            "name": "FEAR",
            "source": "cboe",
            "unit": "index",
            "basis": "index",
            "other_days": "weekdays",
            "plausible": (5.0, 200.0),
        },
        {**macro, **daily, "name": "SPREAD", "plausible": (0.5, 40.0)},
        {**macro, **monthly, "name": "JOBLESS", "plausible": (0.5, 40.0)},
        {**macro, **daily, "name": "LICENSED", "source": "file"},
    )
    named = [{"title": str(entry["name"]), "symbol": entry["name"], **entry} for entry in entries]
    return Universe(series=tuple(SeriesSpec.model_validate(entry) for entry in named))


def market() -> Market:
    """Return the made-up market; the same every time."""
    days = sessions(FIRST, LAST)["date"].to_list()
    every_day = pl.date_range(FIRST, LAST, eager=True).to_list()
    months = pl.date_range(FIRST.replace(day=1), LAST, interval="1mo", eager=True).to_list()
    payments = [(days[number], 0.5) for number in range(40, len(days), 63)]
    return Market(
        values={"SPREAD": _walk(days, 4.0, 0.01, 1), "JOBLESS": _walk(months, 4.0, 0.02, 2)},
        bars={
            "FUND": _bars(_walk(days, 100.0, 0.01, 3)),
            "COIN-USD": _bars(_walk(every_day, 5000.0, 0.03, 4)),
            "FEAR": _bars(_walk(days, 20.0, 0.02, 5)),
        },
        dividends={"FUND": payments},
    )


def _walk(days: Sequence[date], start: float, size: float, seed: int) -> list[tuple[date, float]]:
    """Return a walk that stays near its start."""
    chance = random.Random(seed)
    level, walk = 0.0, []
    for day in days:
        level = 0.98 * level + chance.gauss(0.0, size)
        walk.append((day, round(start * (1.0 + level), 4)))
    return walk


def _bars(closes: Sequence[tuple[date, float]]) -> list[Bar]:
    return [(day, close, round(close * 1.01, 4), round(close * 0.99, 4), close, 1000) for day, close in closes]


def days_before(day: date, count: int) -> date:
    """Return the session that lies some sessions before a day."""
    return sessions(day - timedelta(days=2 * count + 10), day)["date"][-1 - count]
