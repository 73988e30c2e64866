"""The null of random entry: the same number of episodes, of the same lengths, at random places of the same sample.

It asks whether an event chose its days better or worse than chance would: a market that rises makes the forward
returns of any days positive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.inference.block_bootstrap import RESAMPLES
from engine.inference.episodes import episodes

__all__ = ["RandomEntry", "random_entry_null"]


@dataclass(frozen=True)
class RandomEntry:
    """How an event's mean return stands against random entry.

    Attributes
    ----------
    mean, low, high
        Mean of the mean returns under random entry, and the interval that holds 95% of them.
    p_value
        Two-sided: twice the smaller share of placements at least as high, or at least as low, as the event's own, which
        is counted as one of them; at most 1.
    higher_p_value
        One-sided: the share of placements at least as high as the event's own, likewise.
    resamples, seed
        How often and from which seed the episodes were placed.
    """

    mean: float
    low: float
    high: float
    p_value: float
    higher_p_value: float
    resamples: int
    seed: int


def random_entry_null(
    returns: NDArray[np.float64],
    events: NDArray[np.bool_],
    *,
    seed: int,
    horizon: int = 1,
    resamples: int = RESAMPLES,
) -> RandomEntry | None:
    """Compare an event's mean return with that of random entry.

    Episodes whose forward returns overlap, because fewer than ``horizon`` rows lie between the last row of one and the
    first of the next, are placed together, as far apart as they are: a crisis with four episodes is one crisis under
    the null, too. Every placement of these clusters with at least one row between any two is equally likely. Only rows
    with a return can be entered, as for the event itself.

    Parameters
    ----------
    returns
        Return that an event in each row owns, float64 (rows,), NaN where there is none.
    events
        bool (rows,); events without a return do not count.
    seed, resamples
        Part of the result.
    horizon
        Rows of a return.

    Returns
    -------
    The comparison; None without an event, or where its episodes can be placed in no other way.
    """
    known = ~np.isnan(returns)
    events = (events & known)[known]
    returns = returns[known]
    runs = episodes(events)
    if not runs.count:
        return None
    ends = runs.starts + runs.lengths
    apart = np.concatenate(([True], runs.starts[1:] - ends[:-1] >= horizon))
    first_runs = np.append(np.flatnonzero(apart), runs.count)
    begins, spans = runs.starts[apart], ends[first_runs[1:] - 1] - runs.starts[apart]
    places = len(returns) - int(spans.sum()) + 1
    if places < len(spans) or (places == len(spans) and len(spans) == 1):
        return None
    offsets = runs.starts - np.repeat(begins, np.diff(first_runs))
    running = np.concatenate([[0.0], np.cumsum(returns)])
    means = np.empty(resamples)
    _place(np.random.default_rng(seed), running, first_runs, spans, offsets, runs.lengths, places, means)
    own = float(returns[events].mean())
    tolerance = 1e-12 * max(1.0, float(np.abs(running).max()))  # running sums round otherwise than the mean does
    higher = 1 + int((means >= own - tolerance).sum())
    lower = 1 + int((means <= own + tolerance).sum())
    p_value = min(1.0, 2.0 * min(higher, lower) / (resamples + 1))
    low, high = np.quantile(means, (0.025, 0.975))
    higher_p_value = higher / (resamples + 1)
    return RandomEntry(float(means.mean()), float(low), float(high), p_value, higher_p_value, resamples, seed)


@jit
def _place(
    generator: np.random.Generator,
    running: NDArray[np.float64],
    first_runs: NDArray[np.int64],
    spans: NDArray[np.int64],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    places: int,
    means: NDArray[np.float64],
) -> None:
    """Mean return of each random placement.

    With the clusters and the row that must follow each but the last taken out, a placement is a choice of as many
    distinct places as there are clusters (Floyd's sampling), and an order of the clusters (Fisher and Yates).

    Parameters
    ----------
    running
        Running sum of the returns, from 0.
    first_runs, spans
        First run of each cluster, and one more for the end; rows from its first to its last event.
    offsets, lengths
        Of each run: rows from the begin of its cluster, and rows.
    places
        Rows outside the clusters, and one.
    """
    count = len(spans)
    entered = lengths.sum()
    taken = np.zeros(places, np.bool_)
    chosen = np.empty(count, np.int64)
    order = np.arange(count)
    for resample in range(len(means)):
        for k in range(count):
            last = places - count + k
            place = min(int(generator.random() * (last + 1)), last)
            chosen[k] = last if taken[place] else place
            taken[chosen[k]] = True
        for k in range(count):
            taken[chosen[k]] = False
        chosen.sort()
        for k in range(count - 1, 0, -1):
            other = min(int(generator.random() * (k + 1)), k)
            order[k], order[other] = order[other], order[k]
        total = 0.0
        shift = 0
        for k in range(count):
            cluster = order[k]
            for run in range(first_runs[cluster], first_runs[cluster + 1]):
                start = chosen[k] + shift + offsets[run]
                total += running[start + lengths[run]] - running[start]
            shift += spans[cluster]
        means[resample] = total / entered
