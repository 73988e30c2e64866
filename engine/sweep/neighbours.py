"""What a combination is worth among its neighbours: a peak that stands alone is luck, a plateau may not be."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.grid import is_numeric_axis
from engine.sweep.trials import fingerprints, metric_matrix

__all__ = ["neighbour_medians", "neighbours_of"]


def neighbours_of(axes: Mapping[str, Sequence[Any]], combination: int) -> NDArray[np.int64]:
    """Numbers of the grid neighbours of a combination, ascending, the combination itself among them.

    Neighbours are at most one step away on every axis of numbers and the same on every axis of words.
    """
    shape = tuple(len(axis) for axis in axes.values())
    if not shape:
        return np.array([combination])
    place = np.unravel_index(combination, shape)
    around = [
        range(max(0, at - 1), min(at + 2, len(axis))) if is_numeric_axis(axis) else (at,)
        for at, axis in zip(map(int, place), axes.values(), strict=True)
    ]
    digits = np.array(list(itertools.product(*around)))
    return np.asarray(np.ravel_multi_index(tuple(digits.T), shape), np.int64)


def neighbour_medians(
    results: Callable[[NDArray[np.int64]], pl.DataFrame],
    axes: Mapping[str, Sequence[Any]],
    combinations: NDArray[np.int64],
    metric: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Median of a metric over the neighbours of some combinations that hold other positions than they.

    A step so small that it changes no position says nothing about the next larger one: neighbours with the same result
    as the combination itself are left out, like those without a value (they never trade, or have no meaning).

    Parameters
    ----------
    results
        Returns the results of some combinations, ascending: ``combination`` and the metrics.
    axes
        The grid.
    combinations
        Whose neighbours to look at.
    metric
        The metric.

    Returns
    -------
    Medians, NaN where no such neighbour has a value, and how many have one.
    """
    around = [neighbours_of(axes, int(combination)) for combination in combinations]
    known = results(np.unique(np.concatenate([*around, np.empty(0, np.int64)])))
    numbers, values = known["combination"].to_numpy(), known[metric].fill_null(np.nan).to_numpy()
    trial = fingerprints(metric_matrix(known))
    medians = np.full(len(combinations), np.nan)
    counts = np.zeros(len(combinations), np.int64)
    for k, (combination, near) in enumerate(zip(combinations, around, strict=True)):
        own = trial[np.searchsorted(numbers, combination)]
        places = np.flatnonzero(np.isin(numbers, near))
        others = values[places[(trial[places] != own) & ~np.isnan(values[places])]]
        counts[k] = len(others)
        if len(others):
            medians[k] = np.median(others)
    return medians, counts
