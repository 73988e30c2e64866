"""A part of a sweep, evaluated: what is stored of it and what is learned from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.evaluation import describe
from engine.sweep.keep import Keep
from engine.sweep.plan import Plan
from engine.sweep.statistics import Statistics

__all__ = ["Part", "kept_rows"]


@dataclass(frozen=True)
class Part:
    """Some combinations, evaluated, one part after the other in the order of the grid.

    Attributes
    ----------
    upto
        The number from which on nothing is evaluated yet.
    rows
        Results that are stored, described.
    learn
        Adds all of them to statistics.
    """

    upto: int
    rows: pl.DataFrame
    learn: Callable[[Statistics], None]


def kept_rows(
    plan: Plan, keep: Keep, kept: NDArray[np.int64] | None, block: NDArray[np.int64], metrics: pl.DataFrame
) -> pl.DataFrame:
    """Choose and describe the results of a block that are stored as they come.

    Parameters
    ----------
    kept
        The combinations that are stored where the kind is ``sample``, ascending.
    """
    if keep.kind == "all":
        return describe(plan, block, metrics)
    if kept is None:
        return pl.DataFrame()
    low, high = np.searchsorted(kept, [block[0], block[-1] + 1])
    wanted = np.isin(block, kept[low:high], assume_unique=True)
    return describe(plan, block[wanted], metrics.filter(pl.Series(wanted)))
