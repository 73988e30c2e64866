"""Probability of backtest overfitting, by combinatorially symmetric cross-validation.

Source: Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest Overfitting", Journal of Computational
Finance 20(4), 2017. The sample is cut into blocks of consecutive sessions; every half of the blocks serves once to
choose the best trial and the other half to judge it. The probability is the share of the choices that end up in the
lower half of all trials.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Overfitting", "probability_of_overfitting"]

BLOCKS = 16
BATCH = 256

EQUAL = 1e-12
"""Sharpe ratios a session that differ by less are equal: their sums were rounded in another order."""


@dataclass(frozen=True)
class Overfitting:
    """Result of the cross-validation.

    Attributes
    ----------
    probability
        Share of the splits in which the best trial of one half is below the median of the other.
    splits, trials
        Number of splits and of trials compared.
    """

    probability: float
    splits: int
    trials: int


def probability_of_overfitting(returns: NDArray[np.float64], *, blocks: int = BLOCKS) -> Overfitting | None:
    """Estimate the probability that the best trial in one half of the sample is a poor one in the other.

    Parameters
    ----------
    returns
        Daily returns, float64 (sessions, trials). A trial without variance in a half counts there with a Sharpe ratio
        of 0: it earned nothing and risked nothing.
    blocks
        Even number of blocks.

    Returns
    -------
    The result; None with fewer than two trials or two sessions a block.
    """
    sessions, trials = returns.shape
    if trials < 2 or sessions < 2 * blocks:
        return None
    edges = np.linspace(0, sessions, blocks + 1).astype(int)[:-1]
    lengths = np.diff([*edges, sessions]).astype(np.float64)
    sums = np.add.reduceat(returns, edges, axis=0)
    squares = np.add.reduceat(returns**2, edges, axis=0)
    halves = list(itertools.combinations(range(blocks), blocks // 2))
    below = 0.0
    for start in range(0, len(halves), BATCH):
        chosen = np.zeros((len(halves[start : start + BATCH]), blocks))
        for row, half in enumerate(halves[start : start + BATCH]):
            chosen[row, list(half)] = 1.0
        inside = _sharpes(chosen, lengths, sums, squares)
        outside = _sharpes(1.0 - chosen, lengths, sums, squares)
        below += sum(_below_median(*ratios) for ratios in zip(inside, outside, strict=True))
    return Overfitting(below / len(halves), len(halves), trials)


def _below_median(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that the best trial of one half, drawn by lot among equals, is below the median of the other.

    Many trials differ in one trade only and are equal in a half without it: the first of them must not stand for all.
    """
    achieved = outside[inside >= inside.max() - EQUAL]
    ordered = np.sort(outside)
    worse = np.searchsorted(ordered, achieved - EQUAL, side="left")
    not_better = np.searchsorted(ordered, achieved + EQUAL, side="right")
    rank = (0.5 * (worse + not_better - 1) + 1.0) / (len(outside) + 1.0)
    return float((rank <= 0.5).mean())


def _sharpes(
    chosen: NDArray[np.float64], lengths: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sharpe ratios a session over the chosen blocks, float64 (splits, trials)."""
    count = (chosen @ lengths)[:, None]
    mean = (chosen @ sums) / count
    variance = np.maximum((chosen @ squares) / count - mean**2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe: NDArray[np.float64] = np.where(variance > 0.0, mean / np.sqrt(variance), 0.0)
    return sharpe
