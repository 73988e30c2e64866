"""What is added up along a path of daily returns, and the metrics that follow from the sums.

Sums over consecutive sessions can be joined, so that what one holding earned is added up once and joined to each path
that holds it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, inner_in_place
from engine.metrics import LEAST_RISK, SESSIONS_A_YEAR

__all__ = [
    "FIELDS",
    "NO_RETURNS",
    "ReturnMetrics",
    "Tally",
    "add_return",
    "join",
    "read_tally",
    "return_metrics",
    "write_tally",
]

Floats = NDArray[np.float64]


class Tally(NamedTuple):
    """Sums over the returns of consecutive sessions.

    Attributes
    ----------
    growth
        Product of 1 + r.
    total, squares, downside
        Sums of r, of its square, and of the square of min(r, 0).
    low
        The least that one unit has been worth, its beginning included.
    level, worst
        Its value at the end over its highest so far, and the least that this has been.
    """

    growth: float
    total: float
    squares: float
    downside: float
    low: float
    level: float
    worst: float


FIELDS = len(Tally._fields)

NO_RETURNS = Tally(1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0)


@inlined_in_place
def add_return(tally: Tally, earned: float) -> Tally:
    """Add the return of one session."""
    factor = 1.0 + earned
    loss = min(earned, 0.0)
    growth = tally.growth * factor
    level = min(1.0, tally.level * factor)
    return Tally(
        growth,
        tally.total + earned,
        tally.squares + earned * earned,
        tally.downside + loss * loss,
        min(tally.low, growth),
        level,
        min(tally.worst, level),
    )


@inlined_in_place
def join(first: Tally, second: Tally) -> Tally:
    """Sums over the sessions of both, the second coming after the first.

    Below its old high, the path is as deep as the second's value below its beginning times the depth at which it began;
    once it makes a high of its own, as deep as the second by itself: the lesser of the two at any time.
    """
    return Tally(
        first.growth * second.growth,
        first.total + second.total,
        first.squares + second.squares,
        first.downside + second.downside,
        min(first.low, first.growth * second.low),
        min(first.level * second.growth, second.level),
        min(first.worst, first.level * second.low, second.worst),
    )


@inlined_in_place
def write_tally(row: Floats, first: int, tally: Tally) -> None:
    """Keep a tally in a row of a table, from the place ``first`` on."""
    for field, value in enumerate(tally):
        row[first + field] = value


@inlined_in_place
def read_tally(row: Floats, first: int) -> Tally:
    """Read a tally back that `write_tally` kept."""
    return Tally(
        row[first], row[first + 1], row[first + 2], row[first + 3], row[first + 4], row[first + 5], row[first + 6]
    )


class ReturnMetrics(NamedTuple):
    """The metrics of `engine.metrics` that follow from returns and their trades; NaN where one cannot be computed."""

    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    return_to_vol: float
    sortino: float
    calmar: float
    max_drawdown: float
    hit_rate: float


@inner_in_place
def return_metrics(tally: Tally, trades: float, hits: float, sessions: int) -> ReturnMetrics:
    """Metrics of a finished tally.

    Parameters
    ----------
    trades, hits
        Number of trades, and of those that earned something.
    sessions
        Length of the sample; sessions without a position earn 0 and count.
    """
    mean = tally.total / sessions
    deviation = math.sqrt(max(tally.squares - sessions * mean * mean, 0.0) / (sessions - 1))
    cagr = tally.growth ** (SESSIONS_A_YEAR / sessions) - 1.0
    volatility = deviation * math.sqrt(SESSIONS_A_YEAR)
    drawdown = tally.worst - 1.0
    downside = math.sqrt(tally.downside / sessions * SESSIONS_A_YEAR)
    return ReturnMetrics(
        tally.growth - 1.0,
        cagr,
        volatility,
        _ratio(mean * SESSIONS_A_YEAR, volatility, trades),
        _ratio(cagr, volatility, trades),
        _ratio(mean * SESSIONS_A_YEAR, downside, trades),
        _ratio(cagr, -drawdown, trades),
        drawdown,
        _ratio(hits, trades, trades),
    )


@inlined_in_place
def _ratio(value: float, divisor: float, trades: float) -> float:
    """Divide; there is no ratio without trades, over a risk that is only rounding, or where it is not finite."""
    ratio = value / divisor
    return ratio if trades > 0.0 and divisor >= LEAST_RISK and math.isfinite(ratio) else math.nan
