"""Many windows of one series at once: what a sweep over a window length needs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, Integers, as_floats, check_window
from kernels.compile import inlined, jit
from kernels.lanes import WIDTH, load, store_past_cache, unaligned_rows, where_at_least
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["many_windows", "rolling_mean_many"]

TILE = 512
"""Rows done for all windows before the next: their running sums stay in the first-level cache."""

PAST_CACHE = 1 << 20
"""Values of a result from which on it is written past the cache, which it would only sweep out."""


def many_windows(
    kernel: Callable[..., Floats],
    values: npt.ArrayLike,
    windows: Sequence[int] | Integers,
    *,
    threads: int = 1,
    **options: Any,
) -> Floats:
    """Apply a kernel that takes a window to one series, or to the columns of a matrix, for each of many windows.

    Parameters
    ----------
    kernel
        Any of the kernels that take ``(values, window, *, out=..., **options)``, such as `rolling_zscore`.
    values
        As the kernel takes them.
    windows
        The window lengths.
    threads
        Most threads to use; windows are shared out among them.
    options
        Passed on to the kernel.

    Returns
    -------
    Floats
        The results stacked in front, in the order of the windows. For averages `rolling_mean_many` is several times
        as fast.
    """
    array = as_floats(values)
    lengths = [check_window(window)[0] for window in windows]
    result = np.empty((len(lengths), *array.shape), order="C")
    if array.ndim == 2 and not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)

    def piece(start: int, stop: int) -> None:
        for k in range(start, stop):
            kernel(array, lengths[k], out=result[k], **options)

    if array.size and lengths:
        in_parallel(piece, len(lengths), max(-(-SMALLEST_SHARE // array.size), 1), threads)
    return result


def rolling_mean_many(
    values: npt.ArrayLike, windows: Sequence[int] | Integers, *, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Averages of one series over many windows, from one running sum.

    The running sum is kept in two doubles, so that the difference of two of its values is right to the last digits
    however long the history, and an outlier leaves no trace.

    Parameters
    ----------
    values
        One series.
    windows
        The window lengths.
    out
        Where to put the result: float64, C-contiguous, of shape ``(len(windows), len(values))``.
    threads
        Most threads to use; the rows are shared out among them. The result does not depend on it.

    Returns
    -------
    Floats
        One row for each window; NaN where a window is not full or holds a value that is missing or infinite.

    Raises
    ------
    ValueError, TypeError
        If a window is less than 1, there is more than one series, `out` does not fit, or the values are not numbers.
    """
    array = as_floats(values)
    if array.ndim != 1:
        message = f"values must be one series, but have {array.ndim} dimensions; use many_windows for a matrix."
        raise ValueError(message)
    lengths = np.array([check_window(window)[0] for window in windows], dtype=np.int64)
    shape = (lengths.size, array.size)
    if out is None:
        out = np.empty(shape)
    elif out.shape != shape or out.dtype != np.float64 or not (out.flags.c_contiguous and out.flags.writeable):
        message = f"out must be writable, C-contiguous float64 of shape {shape}."
        raise ValueError(message)
    high, low, streak = np.empty(array.size + 1), np.empty(array.size + 1), np.empty(array.size)
    _running_sum(array, high, low, streak)

    def piece(start: int, stop: int) -> None:
        _averages(high, low, streak, lengths, start, stop, out)

    in_parallel(piece, array.size, TILE * max(-(-SMALLEST_SHARE // (TILE * max(lengths.size, 1))), 1), threads)
    return out


@jit
def _running_sum(x: Floats, high: Floats, low: Floats, streak: Floats) -> None:
    """Write the sum before each row as two doubles (Knuth's TwoSum), and how many finite values end in each row."""
    total = rest = finite = 0.0
    high[0] = low[0] = 0.0
    for i in range(x.size):
        value = x[i] if np.isfinite(x[i]) else 0.0
        finite = finite + 1.0 if np.isfinite(x[i]) else 0.0
        grown = total + value
        part = grown - total
        rest += (total - (grown - part)) + (value - part)
        total = grown
        high[i + 1], low[i + 1], streak[i] = total, rest, finite


@jit
def _averages(high: Floats, low: Floats, streak: Floats, windows: Integers, start: int, stop: int, out: Floats) -> None:
    """Write ``out[:, start:stop]``."""
    past_cache = out.size >= PAST_CACHE
    for begin in range(start, stop, TILE):
        end = min(begin + TILE, stop)
        for k in range(windows.size):
            target = out[k]
            row, last = begin, end
            if past_cache:  # a cache line belongs to one tile, or it would be written twice
                row = min(begin + unaligned_rows(target, begin), stop) if begin > start else begin
                last = min(end + unaligned_rows(target, end), stop) if end < stop else stop
            full = min(max(row, windows[k] - 1), last)
            target[row:full] = np.nan
            row = full
            if past_cache:
                vectors = min(row + unaligned_rows(target, row), last)
                _quotients(high, low, streak, row, vectors, windows[k], target)
                row = vectors + (last - vectors) // WIDTH * WIDTH
                _quotients_past_cache(high, low, streak, vectors, row, windows[k], target)
            _quotients(high, low, streak, row, last, windows[k], target)


@inlined
def _quotients(high: Floats, low: Floats, streak: Floats, begin: int, end: int, window: int, out: Floats) -> None:
    """Write ``out[begin:end]``."""
    scale = 1.0 / window
    now, then = slice(begin + 1, end + 1), slice(begin + 1 - window, end + 1 - window)
    high_now, high_then, low_now, low_then = high[now], high[then], low[now], low[then]
    enough, target = streak[begin:end], out[begin:end]
    for i in range(target.size):
        average = ((high_now[i] - high_then[i]) + (low_now[i] - low_then[i])) * scale
        target[i] = average if enough[i] >= window else np.nan


@inlined
def _quotients_past_cache(
    high: Floats, low: Floats, streak: Floats, begin: int, end: int, window: int, out: Floats
) -> None:
    """Write whole vectors of ``out[begin:end]``, whose address is right for them."""
    scale, least = 1.0 / window, float(window)
    for row in range(begin, end, WIDTH):
        then = row + 1 - window
        average = ((load(high, row + 1) - load(high, then)) + (load(low, row + 1) - load(low, then))) * scale
        store_past_cache(out, row, where_at_least(load(streak, row), least, average, np.nan))
