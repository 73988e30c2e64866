"""Rolling maximum, minimum, and drawdown from the rolling maximum.

Where a tile of values has none missing, the extreme over a window is put together from extremes over powers of two:
each step takes the larger of a row of values and the same row shifted, which the processor does several values at a
time. Where values are missing, a queue of the values that can still become the extreme gives the same result one
value at a time.
"""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, Integers, as_floats, check_window, result_array
from kernels.compile import jit
from kernels.forms import run

__all__ = ["rolling_drawdown", "rolling_max", "rolling_min"]

MAXIMUM, MINIMUM, DRAWDOWN = range(3)

TILE = 1024
"""Values worked on at a time: few enough to stay in the first-level cache with their shifted copies."""


def rolling_max(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Largest of the last `window` values, infinities included. The arguments are those of `rolling_mean`."""
    return _rolling(values, window, min_periods, out, threads, MAXIMUM)


def rolling_min(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Smallest of the last `window` values, infinities included. The arguments are those of `rolling_mean`."""
    return _rolling(values, window, min_periods, out, threads, MINIMUM)


def rolling_drawdown(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Last value over the largest of the last `window` values, minus 1: zero at a high, -0.03 three percent below it.

    The arguments are those of `rolling_mean`. NaN where the last value is missing. Meant for positive values, such as
    prices.
    """
    return _rolling(values, window, min_periods, out, threads, DRAWDOWN)


def _rolling(
    values: npt.ArrayLike, window: int, min_periods: int | None, out: Floats | None, threads: int, kind: int
) -> Floats:
    array = as_floats(values)
    window, least = check_window(window, min_periods)
    result = result_array(array, out)
    run(_extreme, array, result, window, least, kind, threads=threads, grain=TILE)
    return result


@jit
def _extreme(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int) -> None:
    """Write extremes to ``out[start:stop]``."""
    best, spare = np.empty(TILE + window), np.empty(TILE + window)
    queue = np.empty(0, np.int64)
    for begin in range(start, stop, TILE):
        end = min(begin + TILE, stop)
        full = min(max(begin, window - 1), end)
        if least == window:
            out[begin:full] = np.nan
        clean = least == window or full == begin
        if clean and not _has_missing(x[max(full - window + 1, 0) : end]):
            if full < end:
                _by_doubling(x[full - window + 1 : end], window, best, spare, kind, out[full:end])
        else:
            if queue.size == 0:
                queue = np.empty(TILE + window, np.int64)
            _by_queue(x, begin, end, window, least, kind, queue, out)


@jit
def _has_missing(x: Floats) -> bool:
    count = 0
    for k in range(x.size):
        count += x[k] != x[k]
    return count > 0


@jit
def _larger(older: Floats, newer: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = max(newer[i], older[i])


@jit
def _smaller(older: Floats, newer: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = min(newer[i], older[i])


@jit
def _relative(x: Floats, out: Floats) -> None:
    """Turn maxima into drawdowns in place."""
    for i in range(out.size):
        out[i] = x[i] / out[i] - 1.0


@jit
def _by_doubling(x: Floats, window: int, best: Floats, spare: Floats, kind: int, out: Floats) -> None:
    """Write the extremes of all full windows of `x`, which has no missing value."""
    current = x
    span = 1
    while 2 * span <= window:
        size = current.size - span
        target = best[:size]
        if kind == MINIMUM:
            _smaller(current[:size], current[span:], target)
        else:
            _larger(current[:size], current[span:], target)
        current = target
        best, spare = spare, best
        span *= 2
    if kind == MINIMUM:
        _smaller(current[: out.size], current[window - span :][: out.size], out)
    else:
        _larger(current[: out.size], current[window - span :][: out.size], out)
    if kind == DRAWDOWN:
        _relative(x[window - 1 :], out)


@jit
def _by_queue(
    x: Floats, begin: int, end: int, window: int, least: int, kind: int, queue: Integers, out: Floats
) -> None:
    """Write the extremes of windows that end in ``[begin, end)``, leaving missing values out."""
    head = tail = valid = 0
    for i in range(max(begin - window + 1, 0), end):
        value = x[i]
        if value == value:
            valid += 1
            while tail > head and (x[queue[tail - 1]] >= value if kind == MINIMUM else x[queue[tail - 1]] <= value):
                tail -= 1
            queue[tail] = i
            tail += 1
        left = i - window
        if left >= begin - window + 1 and left >= 0 and x[left] == x[left]:
            valid -= 1
        while tail > head and queue[head] <= left:
            head += 1
        if i >= begin:
            if valid >= least:
                extreme = x[queue[head]]
                out[i] = value / extreme - 1.0 if kind == DRAWDOWN else extreme
            else:
                out[i] = np.nan
