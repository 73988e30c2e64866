"""Episodes of an event, and how many independent observations its overlapping forward returns are worth.

Trigger days come in runs, and the forward returns of a run share most of their days. Ninety days of a crisis are not
ninety observations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Episodes", "effective_observations", "episodes", "lagged_products"]


@dataclass(frozen=True)
class Episodes:
    """Runs of consecutive rows on which an event holds.

    Attributes
    ----------
    starts, lengths
        First row and number of rows of each, int64 (episodes,), ascending.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of episodes."""
        return len(self.starts)


def episodes(events: NDArray[np.bool_]) -> Episodes:
    """Find the episodes of an event, bool (rows,)."""
    edges = np.diff(events.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return Episodes(starts.astype(np.int64), (ends - starts).astype(np.int64))


def effective_observations(events: NDArray[np.bool_], horizon: int) -> float:
    """Number of independent returns whose mean is as uncertain as that of the events' overlapping forward returns.

    Two forward returns over h rows that begin k rows apart share h - k of them. Where returns of single rows are
    uncorrelated and alike, their correlation is therefore c(k) = max(0, 1 - k/h), and the mean of n of them has the
    variance of n_eff independent ones, with n_eff = n² / sum over all pairs (i, j) of c(abs(i - j)). It is n where all
    events are at least h rows apart, and about n/h in a long run.

    Source: Richardson and Smith, "Tests of Financial Models in the Presence of Overlapping Observations", Review of
    Financial Studies 4(2), 1991, whose covariance of overlapping returns it is.

    Parameters
    ----------
    events
        bool (rows,).
    horizon
        Rows of a forward return, at least 1.

    Returns
    -------
    Between 1 and n; 0 without any event.
    """
    pairs = lagged_products(events.astype(np.float64), horizon - 1)
    if pairs[0] == 0.0:
        return 0.0
    correlation = 1.0 - np.arange(horizon) / horizon
    return float(pairs[0] ** 2 / (pairs[0] + 2.0 * (correlation[1:] @ pairs[1:])))


def lagged_products(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Sums of values[t] * values[t - k] over t for k = 0 … lags, float64 (lags + 1,)."""
    rows = len(values)
    return np.array([values[k:] @ values[: rows - k] if k < rows else 0.0 for k in range(lags + 1)])
