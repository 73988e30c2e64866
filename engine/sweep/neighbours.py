"""What a combination is worth among its neighbours: a peak that stands alone is luck, a plateau may not be."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_numeric_axis", "neighbour_medians"]


def is_numeric_axis(values: Sequence[Any]) -> bool:
    """Tell an axis of numbers, on which one step has a meaning, from an axis of words or of yes and no."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def neighbour_medians(
    values: NDArray[np.float64], axes: Mapping[str, Sequence[Any]], combinations: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Median of a metric over the grid neighbours of some combinations.

    Neighbours are at most one step away on every axis of numbers and the same on every axis of words; the combination
    itself is not among them. Those without a value (they never trade, or have no meaning) are left out.

    Parameters
    ----------
    values
        The metric of every combination of the grid, float64 (grid size,), NaN where there is none.
    axes
        The grid.
    combinations
        Whose neighbours to look at.

    Returns
    -------
    Medians, NaN where no neighbour has a value, and how many neighbours have one.
    """
    shape = tuple(len(axis) for axis in axes.values())
    numeric = [is_numeric_axis(axis) for axis in axes.values()]
    table = values.reshape(shape)
    medians = np.full(len(combinations), np.nan)
    counts = np.zeros(len(combinations), np.int64)
    if not axes:  # a single combination stands alone
        return medians, counts
    for k, place in enumerate(zip(*np.unravel_index(combinations, shape), strict=True)):
        window = tuple(
            slice(max(0, at - 1), at + 2) if is_numeric else slice(at, at + 1)
            for at, is_numeric in zip(place, numeric, strict=True)
        )
        around = table[window].copy()
        around[tuple(at - part.start for at, part in zip(place, window, strict=True))] = np.nan
        found = around[~np.isnan(around)]
        counts[k] = len(found)
        if len(found):
            medians[k] = np.median(found)
    return medians, counts
