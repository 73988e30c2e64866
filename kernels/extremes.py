"""Rolling maximum, minimum, and drawdown from the rolling maximum.

As with the moments, time is cut into blocks of one window's length, and the maximum over a window is the larger of
one running maximum backward from the block and one forward through it (van Herk and Gil-Werman). Where values are
missing in the windows of a block, a queue of the values that can still become the maximum gives the same result one
value at a time. The minimum is the maximum with the sign changed. A zero is positive, whichever sign the zeros in the
window have.
"""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, Integers
from kernels.blocks import copy_around, has_missing, has_room
from kernels.compile import jit
from kernels.forms import roll
from kernels.lanes import (
    WIDTH,
    fill,
    greater,
    load,
    running_maximum,
    running_maximum_back,
    spread_first,
    spread_last,
    store,
)

__all__ = ["rolling_drawdown", "rolling_max", "rolling_min"]

MAXIMUM, MINIMUM, DRAWDOWN = range(3)


def rolling_max(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Largest of the last `window` values, infinities included. The arguments are those of `rolling_mean`."""
    return roll(_extreme, values, window, min_periods, out, threads, MAXIMUM)


def rolling_min(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Smallest of the last `window` values, infinities included. The arguments are those of `rolling_mean`."""
    return roll(_extreme, values, window, min_periods, out, threads, MINIMUM)


def rolling_drawdown(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Last value over the largest of the last `window` values, minus 1: zero at a high, -0.03 three percent below it.

    The arguments are those of `rolling_mean`. NaN where the last value is missing. Meant for positive values, such as
    prices.
    """
    return roll(_extreme, values, window, min_periods, out, threads, DRAWDOWN)


@jit
def _extreme(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int) -> None:
    """Write extremes or drawdowns to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    sign = -1.0 if kind == MINIMUM else 1.0
    before = np.full(size, -np.inf)
    copy, result, queue = np.empty(0), np.empty(0), np.empty(0, np.int64)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        if has_missing(x[max(begin - window + 1, 0) : end]) or (begin == 0 and least < window):
            if queue.size == 0:
                queue = np.empty(2 * window, np.int64)
            _by_queue(x, begin, end, window, least, sign, queue, out)
            if kind == DRAWDOWN:
                _relative(x[begin:end], out[begin:end])
        elif has_room(begin, end, stop, window):
            _maxima_before(x, begin, window, sign, before)
            _maxima(x, begin, end - begin, sign, before, out, begin, kind == DRAWDOWN)
        else:
            if copy.size == 0:
                copy, result = np.zeros(2 * size), np.empty(size)
            first_row = copy_around(x, begin, end, window, copy)
            if begin > 0:
                _maxima_before(copy, first_row, window, sign, before)
            _maxima(copy, first_row, end - begin, sign, before, result, 0, kind == DRAWDOWN)
            out[begin:end] = result[: end - begin]
    if start == 0 and least == window:
        out[: min(window - 1, stop)] = np.nan


@jit
def _maxima_before(x: Floats, begin: int, window: int, sign: float, before: Floats) -> None:
    """Write the maxima over ``sign * x[begin - window + 1 + k : begin]`` to ``before[WIDTH + k]``."""
    highest = fill(-np.inf)
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        maxima = greater(running_maximum_back(load(x, begin - window + 1 + k) * sign), highest)
        store(before, WIDTH + k, maxima)
        highest = spread_first(maxima)


@jit
def _maxima(
    x: Floats, begin: int, size: int, sign: float, before: Floats, out: Floats, place: int, relative: bool
) -> None:
    """Write the maxima of ``sign * x`` over whole windows with the sign taken back, or the drawdowns from them."""
    highest = fill(-np.inf)
    for k in range(0, size, WIDTH):
        values = load(x, begin + k)
        maxima = greater(running_maximum(values * sign), highest)
        highest = spread_last(maxima)
        extreme = greater(maxima, load(before, WIDTH + k)) * sign + 0.0
        store(out, place + k, values / extreme - 1.0 if relative else extreme)


@jit
def _relative(x: Floats, out: Floats) -> None:
    """Turn maxima into drawdowns in place."""
    for i in range(out.size):
        out[i] = x[i] / out[i] - 1.0


@jit
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
