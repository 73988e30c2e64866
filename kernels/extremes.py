"""Rolling maximum, minimum, and drawdown from the rolling maximum.

As with the moments, time is cut into blocks of one window's length, and the maximum over a window is the larger of
one running maximum backward from the block and one forward through it; see `kernels.blocks`. Where values are missing
in the windows of a block, a queue of the values that can still become the maximum gives the same result one value at a
time. The minimum is the maximum with the sign changed. A zero is positive, whichever sign the zeros in the window have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, Integers, as_floats, check_window, result_array
from kernels.blocks import Row, State, four_blocks, has_missing, one_block, tails_for
from kernels.compile import inlined, inner, jit
from kernels.forms import roll, run_columns
from kernels.lanes import WIDTH, fill, greater, load, store
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["rolling_drawdown", "rolling_max", "rolling_min"]

MAXIMUM, MINIMUM, DRAWDOWN = range(3)

Constants = tuple[float, bool]
"""The sign, and whether the drawdown is asked for."""

TILE = 256
"""Columns of a matrix gone through at a time: what is carried from the rows before stays in the second-level cache."""


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
    if type(values) is not np.ndarray or values.ndim != 2:
        return roll(_extreme, values, window, min_periods, out, threads, kind)
    array = as_floats(values)
    if not array.flags.c_contiguous:
        return roll(_extreme, array, window, min_periods, out, threads, kind)
    window, least = check_window(window, min_periods)
    result = result_array(array, out)

    def columns(begin: int, end: int) -> None:
        for first in range(begin, end, TILE):
            last = min(first + TILE, end)
            whole = first
            if not _has_missing_columns(array, first, last):
                whole = last - (last - first) % WIDTH
                _extreme_by_rows(array, result, first, whole, window, least, kind)
            run_columns(_extreme, array, result, whole, last, window, least, kind, 0)

    share = max(-(-SMALLEST_SHARE // max(len(array), 1)), WIDTH)
    in_parallel(columns, array.shape[1], share, threads)
    return result


@jit
def _has_missing_columns(x: Floats, first: int, last: int) -> bool:
    """Tell whether a value in the columns ``[first, last)`` is NaN."""
    count = 0
    for i in range(x.shape[0]):
        count += has_missing(x[i, first:last])
    return count > 0


@jit
def _extreme_by_rows(x: Floats, out: Floats, first: int, last: int, window: int, least: int, kind: int) -> None:
    """Write extremes or drawdowns of columns without missing values in a matrix that is stored by rows.

    Four columns go side by side. The extreme of values is the same in whatever order they are compared.
    """
    sign = -1.0 if kind == MINIMUM else 1.0
    width = last - first
    before, highest = np.full((min(window, x.shape[0]), width), -np.inf), np.empty(width)
    for begin in range(0, x.shape[0], window):
        end = min(begin + window, x.shape[0])
        highest[:] = -np.inf
        if begin > 0:
            for k in range(window - 2, -1, -1):
                row, maxima, after = x[begin - window + 1 + k], before[k], before[k + 1]
                for j in range(0, width, WIDTH):
                    store(maxima, j, greater(load(row, first + j) * sign, load(after, j)))
        for i in range(begin, end):
            row, maxima, target = x[i], before[i - begin], out[i]
            for j in range(0, width, WIDTH):
                values = load(row, first + j)
                inside = greater(values * sign, load(highest, j))
                store(highest, j, inside)
                extreme = greater(inside, load(maxima, j)) * sign + 0.0
                store(target, first + j, values / extreme - 1.0 if kind == DRAWDOWN else extreme)
    out[: least - 1, first:last] = np.nan


@jit
def _extreme(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, _ddof: int) -> None:
    """Write extremes or drawdowns to ``out[start:stop]``; `start` is a multiple of the window."""
    tails, queue = tails_for(1, window), np.empty(0, np.int64)
    sign, relative = -1.0 if kind == MINIMUM else 1.0, kind == DRAWDOWN
    begin = start
    while begin < stop:
        end = begin + WIDTH * window
        if begin > 0 and end <= stop and not has_missing(x[begin - window + 1 : end]):
            four_blocks(_extend, _extremum, (x,), out, begin, window, (sign, relative), (fill(-np.inf),), tails)
        else:
            end = min(begin + window, stop)
            if has_missing(x[max(begin - window + 1, 0) : end]) or (begin == 0 and least < window):
                if queue.size == 0:
                    queue = np.empty(2 * window, np.int64)
                _by_queue(x, begin, end, window, least, sign, queue, out)
                if relative:
                    _relative(x[begin:end], out[begin:end])
            else:
                one_block(_extend, _extremum, (x,), out, begin, end, window, least, (sign, relative), (-np.inf,), tails)
        begin = end


@inlined
def _extend(values: Row, constants: Constants, state: State, _complete: bool) -> State:
    """Take a row into the maximum."""
    return (greater(values[0] * constants[0], state[0]),)


@inlined
def _extremum(values: Row, constants: Constants, inside: State, before: State, _complete: bool) -> tuple[Any, Any]:
    """Return the maximum with the sign taken back, or the drawdown from it, and a margin that nobody looks at."""
    sign, relative = constants
    extreme = greater(inside[0], before[0]) * sign + 0.0
    if relative:
        return values[0] / extreme - 1.0, extreme
    return extreme, extreme


@inner
def _relative(x: Floats, out: Floats) -> None:
    """Turn maxima into drawdowns in place."""
    for i in range(out.size):
        out[i] = x[i] / out[i] - 1.0


@inner
def _by_queue(
    x: Floats, begin: int, end: int, window: int, least: int, sign: float, queue: Integers, out: Floats
) -> None:
    """Write the extremes of windows that end in ``[begin, end)``, leaving missing values out."""
    head = tail = valid = 0
    origin = max(begin - window + 1, 0)
    for i in range(origin, end):
        value = x[i] * sign
        if value == value:
            valid += 1
            while tail > head and x[queue[tail - 1]] * sign <= value:
                tail -= 1
            queue[tail] = i
            tail += 1
        left = i - window
        if left >= origin and x[left] == x[left]:
            valid -= 1
        if tail > head and queue[head] <= left:
            head += 1
        if i >= begin:
            out[i] = x[queue[head]] + 0.0 if valid >= least else np.nan
