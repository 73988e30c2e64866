"""Walk-forward: choose the best trial on the past, hold it over the next window, move on."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import SESSIONS_A_YEAR

__all__ = ["WalkForward", "walk_forward"]

TRAINING_SESSIONS = 3 * SESSIONS_A_YEAR
TEST_SESSIONS = SESSIONS_A_YEAR


@dataclass(frozen=True)
class WalkForward:
    """What choosing by the past would have earned.

    Attributes
    ----------
    sharpe, total_return, cagr
        Over all test windows joined.
    windows
        ``trained_to``, ``first``, ``last``, ``trial`` (column of the best in training), ``training_sharpe``,
        ``sharpe``, ``total_return`` of each test window.
    """

    sharpe: float | None
    total_return: float
    cagr: float
    windows: pl.DataFrame


def walk_forward(
    returns: NDArray[np.float64],
    dates: NDArray[np.datetime64],
    *,
    training: int = TRAINING_SESSIONS,
    test: int = TEST_SESSIONS,
) -> WalkForward | None:
    """Choose by Sharpe ratio over the last ``training`` sessions, hold for ``test`` sessions, repeat.

    Each trial's positions are those of its whole history: the choice changes which one is followed, not what it
    holds. The switch itself is not charged.

    Parameters
    ----------
    returns
        Daily returns net of costs, float64 (sessions, trials).
    dates
        Sessions, ``datetime64[D]``.
    training, test
        Lengths in sessions. The last test window may be shorter.

    Returns
    -------
    The result; None where the sample is not longer than one training window.
    """
    sessions = len(returns)
    if sessions <= training:
        return None
    joined, windows = [], []
    for start in range(training, sessions, test):
        past, future = returns[start - training : start], returns[start : start + test]
        ratios = _sharpe(past)
        chosen = int(ratios.argmax())
        earned = future[:, chosen]
        joined.append(earned)
        windows.append(
            {
                "trained_to": dates[start - 1].item(),
                "first": dates[start].item(),
                "last": dates[start + len(future) - 1].item(),
                "trial": chosen,
                "training_sharpe": float(ratios[chosen]),
                "sharpe": float(_sharpe(earned[:, None])[0]),
                "total_return": float(np.prod(1.0 + earned) - 1.0),
            }
        )
    held = np.concatenate(joined)
    growth = float(np.prod(1.0 + held))
    sharpe = float(_sharpe(held[:, None])[0]) if held.std() > 0.0 else None
    return WalkForward(sharpe, growth - 1.0, growth ** (SESSIONS_A_YEAR / len(held)) - 1.0, pl.DataFrame(windows))


def _sharpe(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Annualised Sharpe ratio of each column; 0 where nothing moves."""
    deviation = returns.std(axis=0, ddof=1) if len(returns) > 1 else np.zeros(returns.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: NDArray[np.float64] = returns.mean(axis=0) / deviation * np.sqrt(SESSIONS_A_YEAR)
    return np.where(deviation > 0.0, ratio, 0.0)
