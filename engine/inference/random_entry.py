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
    resamples, seed
        How often and from which seed the episodes were placed.
    """

    mean: float
    low: float
    high: float
    p_value: float
    resamples: int
    seed: int


def random_entry_null(
    returns: NDArray[np.float64], events: NDArray[np.bool_], *, seed: int, resamples: int = RESAMPLES
) -> RandomEntry | None:
    """Compare an event's mean return with that of random entry.

    Every placement that keeps the episodes' lengths and at least one row between any two is equally likely. Only rows
    with a return can be entered, as for the event itself.

    Parameters
    ----------
    returns
        Return that an event in each row owns, float64 (rows,), NaN where there is none.
    events
        bool (rows,); events without a return do not count.
    seed, resamples
        Part of the result.

    Returns
    -------
    The comparison; None without an event, or where its episodes can be placed in no other way.
    """
    known = ~np.isnan(returns)
    events = events & known
    lengths = episodes(events).lengths
    entered, rows = int(lengths.sum()), int(known.sum())
    places = rows - entered + 1
    if not len(lengths) or places < len(lengths) or (places == len(lengths) and len(set(lengths.tolist())) == 1):
        return None
    running = np.concatenate([[0.0], np.cumsum(returns[known])])
    means = np.empty(resamples)
    _place(np.random.default_rng(seed), running, lengths.copy(), places, means)
    own = float(returns[events].mean())
    tolerance = 1e-12 * max(1.0, float(np.abs(running).max()))  # running sums round otherwise than the mean does
    higher = 1 + int((means >= own - tolerance).sum())
    lower = 1 + int((means <= own + tolerance).sum())
    p_value = min(1.0, 2.0 * min(higher, lower) / (resamples + 1))
    low, high = np.quantile(means, (0.025, 0.975))
    return RandomEntry(float(means.mean()), float(low), float(high), p_value, resamples, seed)


@jit
def _place(
    generator: np.random.Generator,
    running: NDArray[np.float64],
    lengths: NDArray[np.int64],
    places: int,
    means: NDArray[np.float64],
) -> None:
    """Mean return of each random placement.

    With the episodes and the row that must follow each but the last taken out, a placement is a choice of as many
    distinct places as there are episodes (Floyd's sampling), and an order of the lengths (Fisher and Yates).
    """
    count = len(lengths)
    entered = lengths.sum()
    taken = np.zeros(places, np.bool_)
    chosen = np.empty(count, np.int64)
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
            lengths[k], lengths[other] = lengths[other], lengths[k]
        total = 0.0
        shift = 0
        for k in range(count):
            start = chosen[k] + shift
            shift += lengths[k]
            total += running[start + lengths[k]] - running[start]
        means[resample] = total / entered
