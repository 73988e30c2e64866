"""What is added up along a path of daily returns, and the metrics that follow from the sums."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import SESSIONS_A_YEAR, WON

__all__ = ["NEW_TALLY", "Tally", "add_return", "end_trade", "return_metrics"]


class Tally(NamedTuple):
    """Sums over the returns so far.

    Attributes
    ----------
    growth
        Product of 1 + r.
    total, squares, downside
        Sums of r, of its square, and of the square of min(r, 0).
    level, worst
        Equity over its highest so far, and the least of that.
    trade, hits
        Product of 1 + r since the present trade began, and trades that ended with more than they began.
    """

    growth: float
    total: float
    squares: float
    downside: float
    level: float
    worst: float
    trade: float
    hits: float


NEW_TALLY = Tally(1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0)


@jit
def add_return(tally: Tally, earned: float) -> Tally:
    """Add the return of one session."""
    factor = 1.0 + earned
    loss = min(earned, 0.0)
    level = min(1.0, tally.level * factor)
    return Tally(
        tally.growth * factor,
        tally.total + earned,
        tally.squares + earned * earned,
        tally.downside + loss * loss,
        level,
        min(tally.worst, level),
        tally.trade * factor,
        tally.hits,
    )


@jit
def end_trade(tally: Tally) -> Tally:
    """Judge the trade that ends at this close and begin the next."""
    hits = tally.hits + 1.0 if tally.trade > WON else tally.hits
    return Tally(tally.growth, tally.total, tally.squares, tally.downside, tally.level, tally.worst, 1.0, hits)


def return_metrics(
    tallies: NDArray[np.float64], trades: NDArray[np.float64], sessions: int
) -> dict[str, NDArray[np.float64]]:
    """Metrics of finished tallies; NaN where one cannot be computed. The definitions are those of `engine.metrics`.

    Parameters
    ----------
    tallies
        Float64 (paths, fields of `Tally`).
    trades
        Number of trades of each.
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
            "hit_rate": sums.hits / trades,
        }
    return {
        "total_return": sums.growth - 1.0,
        "cagr": cagr,
        "volatility": volatility,
        "max_drawdown": drawdown,
        **{name: np.where((trades > 0) & np.isfinite(ratio), ratio, np.nan) for name, ratio in ratios.items()},
    }
