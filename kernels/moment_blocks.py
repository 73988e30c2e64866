"""Compiled code of the rolling moments. `kernels.moments` says how and why, `kernels.blocks` in which order."""

import math
from typing import Any

import numpy as np

from kernels.arrays import Floats
from kernels.blocks import Row, State, four_blocks, is_complete, one_block, tails_for
from kernels.compile import inlined, inner, jit
from kernels.lanes import WIDTH, fill, lanes_of, root, store, where_at_least, where_present

__all__ = ["CONDITION", "DEVIATION", "MEAN", "SUM", "VARIANCE", "ZSCORE", "first_moment", "pivot_of", "second_moment"]

SUM, MEAN, VARIANCE, DEVIATION, ZSCORE = range(5)

CONDITION = 64.0
"""Ratio of the squares about the pivot to those about the mean above which a window is computed again in two passes."""

FirstConstants = tuple[Any, float, float, bool]
"""Pivot, one over the window or one for a sum, least count, whether it is the mean that is asked for."""

SecondConstants = tuple[Any, float, float, float, float, int]
"""Pivot, one over the window, one over the divisor, least count, degrees of freedom taken, what is asked for."""


@jit
def first_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, _ddof: int) -> None:
    """Write sums or means to ``out[start:stop]``; `start` is a multiple of the window."""
    tails = tails_for(2, window)
    scale = 1.0 / window if kind == MEAN else 1.0
    begin = start
    while begin < stop:
        end = begin + WIDTH * window
        if begin > 0 and end <= stop and is_complete(x, begin, end, window, least):
            pivots, zero = fill(0.0), (fill(0.0), fill(0.0))
            if kind == MEAN:
                pivots = lanes_of(
                    _central(x, begin, begin + window, window),
                    _central(x, begin + window, begin + 2 * window, window),
                    _central(x, begin + 2 * window, begin + 3 * window, window),
                    _central(x, begin + 3 * window, end, window),
                )
            if kind == MEAN:
                four_blocks(_add, _mean, (x,), out, begin, window, (pivots, scale, 1.0, True), zero, tails)
            else:
                four_blocks(_add, _mean, (x,), out, begin, window, (fill(0.0), 1.0, 1.0, False), zero, tails)
        else:
            end = min(begin + window, stop)
            pivot = _central(x, begin, end, window) if kind == MEAN else 0.0
            constants = (pivot, scale, float(least), kind == MEAN)
            one_block(_add, _mean, (x,), out, begin, end, window, least, constants, (0.0, 0.0), tails)
        begin = end


@jit
def second_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, ddof: int) -> None:
    """Write variances, deviations or z-scores to ``out[start:stop]``; `start` is a multiple of the window."""
    tails, worst = tails_for(3, window), np.empty(WIDTH)
    scale, divisor = 1.0 / window, 1.0 / (window - ddof) if window > ddof else np.nan
    enough = float(max(least, ddof + 1))
    begin = start
    while begin < stop:
        end = begin + WIDTH * window
        if begin > 0 and end <= stop and is_complete(x, begin, end, window, least):
            zero = (fill(0.0), fill(0.0), fill(0.0))
            pivots = lanes_of(
                pivot_of(x, begin, begin + window, window),
                pivot_of(x, begin + window, begin + 2 * window, window),
                pivot_of(x, begin + 2 * window, begin + 3 * window, window),
                pivot_of(x, begin + 3 * window, end, window),
            )
            constants = (pivots, scale, divisor, enough, float(ddof), kind)
            store(worst, 0, four_blocks(_add_squares, _moment, (x,), out, begin, window, constants, zero, tails))
            for lane in range(WIDTH):
                if worst[lane] < 0.0:
                    first = begin + lane * window
                    _block(x, out, first, first + window, window, least, kind, ddof, tails)
        else:
            end = min(begin + window, stop)
            _block(x, out, begin, end, window, least, kind, ddof, tails)
        begin = end


@inner
def _block(
    x: Floats, out: Floats, begin: int, end: int, window: int, least: int, kind: int, ddof: int, tails: Floats
) -> None:
    """Write the second moments of one block, the ill-conditioned ones in two passes."""
    scale, divisor = 1.0 / window, 1.0 / (window - ddof) if window > ddof else np.nan
    constants = (pivot_of(x, begin, end, window), scale, divisor, float(max(least, ddof + 1)), float(ddof), kind)
    worst = one_block(_add_squares, _moment, (x,), out, begin, end, window, least, constants, (0.0, 0.0, 0.0), tails)
    if worst < 0.0:
        for i in range(begin, end):
            if tails[0, i - begin] < 0.0:
                out[i] = _in_two_passes(x[max(i - window + 1, 0) : i + 1], least, kind, ddof)


@inner
def pivot_of(x: Floats, begin: int, end: int, window: int) -> float:
    """Return the pivot of a block: its first value if finite, else the last finite one before in its windows.

    Where there is none, it is the first finite value after, which is known wherever it is used.
    """
    if math.isfinite(x[begin]):
        return x[begin]  # type: ignore[no-any-return]
    for i in range(begin - 1, max(begin - window, -1), -1):
        if math.isfinite(x[i]):
            return x[i]  # type: ignore[no-any-return]
    for i in range(begin + 1, end):
        if math.isfinite(x[i]):
            return x[i]  # type: ignore[no-any-return]
    return 0.0


@inner
def _central(x: Floats, begin: int, end: int, window: int) -> float:
    """Return the pivot of a mean: near the values, and no larger than one value that is in all windows.

    A mean cannot cancel as a deviation can, but it should not be taken about an outlier: so the median of three values
    up to the block's first, unless that is smaller.
    """
    pivot = pivot_of(x, begin, end, window)
    oldest = max(begin - window + 1, 0)
    one, two, three = x[oldest], x[(oldest + begin) // 2], x[begin]
    if math.isfinite(one) and math.isfinite(two) and math.isfinite(three):
        median = max(min(one, two), min(max(one, two), three))
        if abs(median) < abs(pivot):
            pivot = median
    return pivot


@inlined
def _add(values: Row, constants: FirstConstants, state: State, complete: bool) -> State:
    """Add a row to the sum and the count."""
    total, count = state
    deviation = values[0] - constants[0]
    if complete:
        return total + deviation, count
    present = where_present(values[0], deviation, 0.0)
    return total + present, count + where_present(values[0], 1.0, 0.0)


@inlined
def _mean(_values: Row, constants: FirstConstants, inside: State, before: State, complete: bool) -> tuple[Any, Any]:
    """Return the mean or the sum of a window, and a margin that is never negative."""
    pivot, scale, least, averaging = constants
    total = inside[0] + before[0]
    if complete:
        return total * scale + pivot, inside[1]
    count = inside[1] + before[1]
    if averaging:
        return where_at_least(count, least, total * (1.0 / count) + pivot, np.nan), count
    return where_at_least(count, least, total + pivot, np.nan), count


@inlined
def _add_squares(values: Row, constants: SecondConstants, state: State, complete: bool) -> State:
    """Add a row to the sum, the squares and the count."""
    total, squares, count = state
    deviation = values[0] - constants[0]
    if complete:
        return total + deviation, squares + deviation * deviation, count
    present = where_present(values[0], deviation, 0.0)
    return total + present, squares + present * present, count + where_present(values[0], 1.0, 0.0)


@inlined
def _moment(values: Row, constants: SecondConstants, inside: State, before: State, complete: bool) -> tuple[Any, Any]:
    """Return what is asked for about a window, and how far its squares are from being ill-conditioned."""
    pivot, scale, divisor, enough, ddof, kind = constants
    deviation, total, squares = values[0] - pivot, inside[0] + before[0], inside[1] + before[1]
    if complete:
        return _from_sums(deviation, total, squares, scale, divisor, kind)
    count = inside[2] + before[2]
    divisors = where_at_least(count, enough, 1.0 / (count - ddof), np.nan)
    return _from_sums(deviation, total, squares, 1.0 / count, divisors, kind)


@inlined
def _from_sums(deviation: Any, total: Any, squares: Any, scale: Any, divisor: Any, kind: int) -> tuple[Any, Any]:
    """Return a moment and its margin, from the last value's deviation from the pivot and the sums about the pivot."""
    mean = total * scale
    about_mean = squares - total * mean
    slack = about_mean * CONDITION - squares
    variance = about_mean * divisor
    if kind == VARIANCE:
        return variance, slack
    if kind == DEVIATION:
        return root(variance), slack
    return (deviation - mean) / root(variance), slack


@inner
def _in_two_passes(x: Floats, least: int, kind: int, ddof: int) -> float:
    """Compute one window's moment about its mean, from deviations about its last present value."""
    pivot, n = 0.0, 0
    for value in x:
        if value == value:
            pivot = value
            n += 1
    if n < least or n <= ddof:
        return np.nan
    total = 0.0
    for value in x:
        if value == value:
            total += value - pivot
    mean = total / n
    squares = rest = 0.0
    for value in x:
        if value == value:
            d = (value - pivot) - mean
            squares += d * d
            rest += d
    variance = (squares - rest * (rest / n)) / (n - ddof)
    if kind == VARIANCE:
        return variance
    if kind == DEVIATION:
        return math.sqrt(variance)
    return ((x[-1] - pivot) - mean) / math.sqrt(variance)  # type: ignore[no-any-return]
