"""The random processes that the market is built from: named streams of shocks, autoregressions, pulled walks.

Every function is causal: the first n values depend on the first n inputs only, so that a longer history begins with the
same values. The recursions are plain loops over a few thousand days; sums run in the order of time and never through a
matrix product, whose order of addition a library may choose.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["autoregression", "normal_shocks", "per_day", "pulled_walk", "student_shocks", "uniform"]

Vector = NDArray[np.float64]


def normal_shocks(seed: int, name: str, count: int) -> Vector:
    """Return `count` standard normal shocks of the stream `name`; a new name never disturbs the shocks of another."""
    return _stream(seed, name).standard_normal(count)


def student_shocks(seed: int, name: str, count: int, degrees: float) -> Vector:
    """Return `count` Student t shocks of the stream `name`, scaled to a standard deviation of one."""
    return _stream(seed, name).standard_t(degrees, count) / math.sqrt(degrees / (degrees - 2))


def uniform(seed: int, name: str) -> float:
    """Return the one uniform number in [0, 1) of the stream `name`."""
    return float(_stream(seed, name).random())


def per_day(half_life: float) -> float:
    """Return the share of a deviation that is left after one day."""
    return float(0.5 ** (1 / half_life))


def autoregression(shocks: Vector, half_life: float, start: float = 0.0) -> Vector:
    """Return x with ``x[t] = x[t-1] * per_day(half_life) + shocks[t]``, from ``x[-1] = start``."""
    keep = per_day(half_life)
    level = start
    levels = []
    for shock in shocks.tolist():
        level = level * keep + shock
        levels.append(level)
    return np.array(levels)


def pulled_walk(shocks: Vector, design: Vector, free: NDArray[np.bool_], trend: float, half_life: float) -> Vector:
    """Return the daily changes of a random walk that is pulled to its trend line.

    On free days a change is the trend, the pull, the shock and the design. On the others it is shock and design alone:
    the design then says where the walk goes.

    Parameters
    ----------
    shocks, design
        Random and planned changes, one a day.
    free
        Days on which trend and pull work.
    trend
        Slope of the trend line a day; it rises on all days.
    half_life
        Days after which half of a deviation from the line is left.
    """
    pull = 1 - per_day(half_life)
    gap = 0.0
    changes = []
    for planned, is_free in zip((shocks + design).tolist(), free.tolist(), strict=True):
        change = planned + (trend - pull * gap if is_free else 0.0)
        gap += change - trend
        changes.append(change)
    return np.array(changes)


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(name.encode())))
