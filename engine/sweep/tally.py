"""What is added up along a path of daily returns, and the metrics that follow from the sums.

Sums over consecutive sessions can be joined, so that what one holding earned is added up once and joined to each path
that holds it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place
from engine.metrics import SESSIONS_A_YEAR

__all__ = ["NO_RETURNS", "Tally", "add_return", "join", "return_metrics"]


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


def return_metrics(
    tallies: NDArray[np.float64], trades: NDArray[np.float64], hits: NDArray[np.float64], sessions: int
) -> dict[str, NDArray[np.float64]]:
    """Metrics of finished tallies; NaN where one cannot be computed. The definitions are those of `engine.metrics`.

    Parameters
    ----------
    tallies
        Float64 (paths, fields of `Tally`).
    trades, hits
        Number of trades of each, and of those that earned something.
    sessions
        Length of the sample; sessions without a position earn 0 and count.
    """
    sums = Tally(*tallies.T)
    mean = sums.total / sessions
    deviation = np.sqrt(np.maximum(sums.squares - sessions * mean**2, 0.0) / (sessions - 1))
    drawdown = sums.worst - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        cagr = sums.growth ** (SESSIONS_A_YEAR / sessions) - 1.0
        volatility = deviation * np.sqrt(SESSIONS_A_YEAR)
        ratios = {
            "sharpe": mean / deviation * np.sqrt(SESSIONS_A_YEAR),
            "return_to_vol": cagr / volatility,
            "sortino": mean * SESSIONS_A_YEAR / np.sqrt(sums.downside / sessions * SESSIONS_A_YEAR),
            "calmar": cagr / -drawdown,
            "hit_rate": hits / trades,
        }
    return {
        "total_return": sums.growth - 1.0,
        "cagr": cagr,
        "volatility": volatility,
        "max_drawdown": drawdown,
        **{name: np.where((trades > 0) & np.isfinite(ratio), ratio, np.nan) for name, ratio in ratios.items()},
    }
