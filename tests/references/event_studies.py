"""Event studies of the credit stress document, in plain loops: what the engine's studies are compared with.

Closes are lists, one value a session; bitcoin is a list of its own bars, one a calendar day. Nothing here is shared
with the engine. A return that cannot be formed is `None`.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

Returns = list[float | None]


def daily_returns(closes: Sequence[float]) -> Returns:
    """Close over the close before, minus 1."""
    return [None, *(now / before - 1.0 for before, now in pairwise(closes))]


def bought_at_the_next_close(closes: Sequence[float], t: int, sessions: int) -> float | None:
    """What is known at close t is bought at close t+1 and sold some sessions later."""
    if t + 1 + sessions >= len(closes):
        return None
    return closes[t + 1 + sessions] / closes[t + 1] - 1.0


def window_with_the_signal_day(returns: Sequence[float | None], t: int, rows: int) -> float | None:
    """Compound the returns of some rows, the signal's own first; at least half of them must be there."""
    there = [value for value in returns[t : t + rows] if value is not None]
    if len(there) < rows // 2:
        return None
    wealth = 1.0
    for value in there:
        wealth *= 1.0 + value
    return wealth - 1.0


def percentile(values: Sequence[float], share: float) -> float:
    """Interpolate linearly between the sorted values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def spread_statistics(growth: Sequence[float], market: Sequence[float]) -> dict[str, float]:
    """Mean, sample standard deviation and percentiles of the daily difference."""
    spread = [g - m for g, m in zip(daily_returns(growth)[1:], daily_returns(market)[1:], strict=True)]  # type: ignore[operator]
    mean = math.fsum(spread) / len(spread)
    variance = math.fsum((value - mean) ** 2 for value in spread) / (len(spread) - 1)
    return {
        "mean": mean,
        "std": math.sqrt(variance),
        "pct_1": percentile(spread, 0.01),
        "pct_5": percentile(spread, 0.05),
    }


def weekly_spread(growth: Sequence[float], market: Sequence[float]) -> Returns:
    """Sum of the last five daily differences."""
    days = [
        None if g is None or m is None else g - m
        for g, m in zip(daily_returns(growth), daily_returns(market), strict=True)
    ]
    sums: Returns = []
    for t in range(len(days)):
        week = [value for value in days[max(0, t - 4) : t + 1] if value is not None]
        sums.append(math.fsum(week) if len(week) == 5 else None)
    return sums


def worst_weeks(growth: Sequence[float], market: Sequence[float], count: int) -> list[int]:
    """The worst week, the worst of those five sessions or more from it, and so on."""
    spread = weekly_spread(growth, market)
    chosen: list[int] = []
    while len(chosen) < count:
        left = [
            (value, t)
            for t, value in enumerate(spread)
            if value is not None and all(abs(t - other) >= 5 for other in chosen)
        ]
        chosen.append(min(left)[1])
    return chosen


def thirty_calendar_days_on(dates: Sequence[date], closes: Sequence[float], t: int) -> float | None:
    """Close t to the last close at most thirty days later, where the data go as far."""
    until = dates[t] + timedelta(days=30)
    if until > dates[-1]:
        return None
    last = t
    while last + 1 < len(dates) and dates[last + 1] <= until:
        last += 1
    return closes[last] / closes[t] - 1.0


class Course(NamedTuple):
    """What the market did after a session: rows of its bottom and of its recovery."""

    bottom: int
    recovery: int | None


def course_after(closes: Sequence[float], t: int) -> Course:
    """Walk on from t until the close is back at the highest one up to t; the bottom is the lowest before that."""
    high = max(closes[: t + 1])
    bottom = t
    for u in range(t + 1, len(closes)):
        if closes[u] >= high:
            return Course(bottom, u)
        if closes[u] < closes[bottom]:
            bottom = u
    return Course(bottom, None)


class Fall(NamedTuple):
    """Rows of the high before a fall and of its bottom."""

    high: int
    bottom: int


def falls_of(closes: Sequence[float], depth: float) -> list[Fall]:
    """Walk through the closes, and keep each stretch below the high that goes as deep as `depth`."""
    found: list[Fall] = []
    high, bottom = 0, None
    for t in range(1, len(closes) + 1):
        over = t == len(closes) or closes[t] >= closes[high]
        if over:
            if bottom is not None and closes[bottom] / closes[high] - 1.0 <= depth:
                found.append(Fall(high, bottom))
            high, bottom = t, None
        elif bottom is None or closes[t] < closes[bottom]:
            bottom = t
    return found


def runs_of(flags: Sequence[bool], quiet: int = 1) -> list[tuple[int, int]]:
    """First and last row of each run; a gap of fewer than `quiet` rows does not end one."""
    found: list[tuple[int, int]] = []
    for t, flag in enumerate(flags):
        if not flag:
            continue
        if found and t - found[-1][1] <= quiet:
            found[-1] = (found[-1][0], t)
        else:
            found.append((t, t))
    return found


class BitcoinPeriod(NamedTuple):
    """Return, deepest fall, and correlation with the market's return of the same date."""

    total_return: float
    max_drawdown: float
    correlation: float


def bitcoin_in_period(
    bars: Sequence[tuple[date, float]], sessions: Sequence[tuple[date, float]], first: date, last: date
) -> BitcoinPeriod:
    """Describe bitcoin from `first` to `last`, both included."""
    inside = [close for day, close in bars if first <= day <= last]
    high, deepest = inside[0], 0.0
    for close in inside:
        high = max(high, close)
        deepest = min(deepest, close / high - 1.0)
    own = {day: close / before - 1.0 for (_, before), (day, close) in pairwise(bars)}
    market = {day: close / before - 1.0 for (_, before), (day, close) in pairwise(sessions)}
    days = [day for day in market if first <= day <= last and day in own]
    return BitcoinPeriod(
        inside[-1] / inside[0] - 1.0, deepest, correlation([own[d] for d in days], [market[d] for d in days])
    )


def market_in_period(sessions: Sequence[tuple[date, float]], first: date, last: date) -> float:
    """Compound the market's daily returns from `first` to `last`, both included."""
    wealth = 1.0
    for (_, before), (day, close) in pairwise(sessions):
        if first <= day <= last:
            wealth *= close / before
    return wealth - 1.0


def correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's."""
    a, b = math.fsum(x) / len(x), math.fsum(y) / len(y)
    products = math.fsum((p - a) * (q - b) for p, q in zip(x, y, strict=True))
    return products / math.sqrt(math.fsum((p - a) ** 2 for p in x) * math.fsum((q - b) ** 2 for q in y))


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0


def summary(values: Sequence[float | None]) -> dict[str, float]:
    """Count, mean, median and share of gains of those that could be formed."""
    there = [value for value in values if value is not None]
    return {
        "n": len(there),
        "mean": math.fsum(there) / len(there),
        "median": median(there),
        "positive": sum(1 for value in there if value > 0.0) / len(there),
    }
