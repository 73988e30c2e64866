"""Compiled code of the rolling moments: one block of windows at a time. `kernels.moments` says how and why.

`before` receives, for each row of the block, the sum over the part of its window that lies before the block; the sum
over the part inside the block runs along while results are written. Totals are kept in all lanes at once, which spares
taking them out of a register and putting them back.

Where a function is told that a block is `complete`, no value of its windows is missing. The compiler then makes a copy
of the function that neither looks for missing values nor counts the others. Both copies do the same operations in the
same order on values that are there, so which one runs cannot be seen in the result.
"""

import math

import numpy as np

from kernels.arrays import Floats
from kernels.blocks import copy_around, has_room, is_complete
from kernels.compile import inlined, jit
from kernels.lanes import (
    WIDTH,
    Lanes,
    fill,
    first,
    less,
    load,
    root,
    running,
    running_back,
    spread_first,
    spread_last,
    store,
    where_at_least,
    where_present,
)

__all__ = ["CONDITION", "DEVIATION", "MEAN", "SUM", "VARIANCE", "ZSCORE", "first_moment", "pivot_of", "second_moment"]

SUM, MEAN, VARIANCE, DEVIATION, ZSCORE = range(5)

CONDITION = 64.0
"""Ratio of the squares about the pivot to those about the mean above which a window is computed again in two passes."""


@jit
def first_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int) -> None:
    """Write sums or means to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    before = np.zeros((3, size))
    copy, result = np.empty(0), np.empty(0)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        inside = has_room(begin, end, stop, window)
        if not inside and copy.size == 0:
            copy, result = np.zeros(2 * size), np.empty(size)
        source, row = (x, begin) if inside else (copy, copy_around(x, begin, end, window, copy))
        target, place = (out, begin) if inside else (result, 0)
        pivot = _central(x, max(begin - window + 1, 0), begin, end) if kind == MEAN else 0.0
        if is_complete(x, begin, end, window, least):
            if begin > 0:
                _sums_before(source, row, window, pivot, before, False, True)
            _first_moments(source, row, end - begin, window, pivot, least, kind, before, target, place, True)
        else:
            if begin > 0:
                _sums_before(source, row, window, pivot, before, False, False)
            _first_moments(source, row, end - begin, window, pivot, least, kind, before, target, place, False)
        if begin == 0 and least == window:
            target[: window - 1] = np.nan
        if not inside:
            out[begin:end] = result[: end - begin]


@jit
def second_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, ddof: int) -> None:
    """Write variances, deviations or z-scores to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    before, margin = np.zeros((3, size)), np.empty(size)
    copy, result = np.empty(0), np.empty(0)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        inside = has_room(begin, end, stop, window)
        if not inside and copy.size == 0:
            copy, result = np.zeros(2 * size), np.empty(size)
        source, row = (x, begin) if inside else (copy, copy_around(x, begin, end, window, copy))
        target, place = (out, begin) if inside else (result, 0)
        pivot = pivot_of(x, max(begin - window + 1, 0), begin, end)
        rows = end - begin
        if is_complete(x, begin, end, window, least):
            if begin > 0:
                _sums_before(source, row, window, pivot, before, True, True)
            worst = _second_moments(
                source, row, rows, window, pivot, least, kind, ddof, before, margin, target, place, True
            )
        else:
            if begin > 0:
                _sums_before(source, row, window, pivot, before, True, False)
            worst = _second_moments(
                source, row, rows, window, pivot, least, kind, ddof, before, margin, target, place, False
            )
        if begin == 0 and least == window:
            target[: window - 1] = np.nan
            margin[: window - 1] = 0.0
        if worst < 0.0:
            _recompute(x, begin, end, window, least, kind, ddof, margin, target, place)
        if not inside:
            out[begin:end] = result[: end - begin]


@jit
def pivot_of(x: Floats, begin: int, middle: int, end: int) -> float:
    """Return the last finite value up to `middle`, else the first after it: known by then, wherever it is used."""
    for i in range(middle, begin - 1, -1):
        if math.isfinite(x[i]):
            return x[i]  # type: ignore[no-any-return]
    for i in range(middle + 1, end):
        if math.isfinite(x[i]):
            return x[i]  # type: ignore[no-any-return]
    return 0.0


@jit
def _central(x: Floats, begin: int, middle: int, end: int) -> float:
    """Return the pivot of a mean: near the values, and no larger than one value that is in all windows.

    A mean cannot cancel as a deviation can, but it should not be taken about an outlier: so the median of three values
    up to `middle`, unless that at `middle` is smaller.
    """
    pivot = pivot_of(x, begin, middle, end)
    one, two, three = x[begin], x[(begin + middle) // 2], x[middle]
    if math.isfinite(one) and math.isfinite(two) and math.isfinite(three):
        median = max(min(one, two), min(max(one, two), three))
        if abs(median) < abs(pivot):
            pivot = median
    return pivot


@inlined
def _deviations(values: Lanes, pivot: float, complete: bool) -> tuple[Lanes, Lanes]:
    """Return deviations from the pivot, and one for each value; zeros where a value is missing."""
    if complete:
        return values - pivot, fill(1.0)
    return where_present(values, values - pivot, 0.0), where_present(values, fill(1.0), 0.0)


@inlined
def _sums_before(
    x: Floats, begin: int, window: int, pivot: float, before: Floats, with_squares: bool, complete: bool
) -> None:
    """Write what is summed over ``x[begin - window + 1 + k : begin]`` to ``before[:, WIDTH + k]``."""
    sums_before, squares_before, counts_before = before[0], before[1], before[2]
    total = square_total = count = fill(0.0)
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        d, present = _deviations(load(x, begin - window + 1 + k), pivot, complete)
        sums = running_back(d)
        store(sums_before, WIDTH + k, sums + total)
        total = total + spread_first(sums)
        if with_squares:
            squares = running_back(d * d)
            store(squares_before, WIDTH + k, squares + square_total)
            square_total = square_total + spread_first(squares)
        if not complete:
            counts = running_back(present)
            store(counts_before, WIDTH + k, counts + count)
            count = count + spread_first(counts)


@inlined
def _first_moments(
    x: Floats,
    begin: int,
    size: int,
    window: int,
    pivot: float,
    least: int,
    kind: int,
    before: Floats,
    out: Floats,
    place: int,
    complete: bool,
) -> None:
    """Write the first moments of one block."""
    sums_before, counts_before = before[0], before[2]
    total = count = fill(0.0)
    scale = fill(1.0 / window if kind == MEAN else 1.0)
    for k in range(0, size, WIDTH):
        d, present = _deviations(load(x, begin + k), pivot, complete)
        sums = running(d)
        both = (sums + total) + load(sums_before, WIDTH + k)
        total = total + spread_last(sums)
        if complete:
            store(out, place + k, both * scale + pivot)
        else:
            counts = running(present)
            n = (counts + count) + load(counts_before, WIDTH + k)
            count = count + spread_last(counts)
            result = both * (1.0 / n) + pivot if kind == MEAN else both + pivot
            store(out, place + k, where_at_least(n, float(least), result, np.nan))


@inlined
def _second_moments(
    x: Floats,
    begin: int,
    size: int,
    window: int,
    pivot: float,
    least: int,
    kind: int,
    ddof: int,
    before: Floats,
    margin: Floats,
    out: Floats,
    place: int,
    complete: bool,
) -> float:
    """Write the second moments of one block; return less than zero if some are ill-conditioned."""
    sums_before, squares_before, counts_before = before[0], before[1], before[2]
    enough = float(max(least, ddof + 1))
    total = square_total = count = worst = fill(0.0)
    scale = fill(1.0 / window)
    divisor = fill(1.0 / (window - ddof) if window > ddof else np.nan)
    for k in range(0, size, WIDTH):
        values = load(x, begin + k)
        d, present = _deviations(values, pivot, complete)
        sums, squares = running(d), running(d * d)
        both = (sums + total) + load(sums_before, WIDTH + k)
        both_squares = (squares + square_total) + load(squares_before, WIDTH + k)
        total, square_total = total + spread_last(sums), square_total + spread_last(squares)
        if not complete:
            counts = running(present)
            n = (counts + count) + load(counts_before, WIDTH + k)
            count = count + spread_last(counts)
            scale, divisor = 1.0 / n, where_at_least(n, enough, 1.0 / (n - float(ddof)), np.nan)
        mean = both * scale
        about_mean = both_squares - both * mean
        slack = about_mean * CONDITION - both_squares
        store(margin, k, slack)
        worst = less(slack, worst)
        store(out, place + k, _moment((values - pivot) - mean, about_mean * divisor, kind))
    return first(running_back(worst))  # type: ignore[no-any-return]


@inlined
def _moment(deviation: Lanes, variance: Lanes, kind: int) -> Lanes:
    """Return what is asked for, from the last value's deviation from the mean and the variance."""
    if kind == VARIANCE:
        return variance
    if kind == DEVIATION:
        return root(variance)
    return deviation / root(variance)


@jit
def _recompute(
    x: Floats,
    begin: int,
    end: int,
    window: int,
    least: int,
    kind: int,
    ddof: int,
    margin: Floats,
    out: Floats,
    place: int,
) -> None:
    """Replace the results whose margin is negative."""
    for i in range(begin, end):
        if margin[i - begin] < 0.0:
            out[place + i - begin] = _in_two_passes(x[max(i - window + 1, 0) : i + 1], least, kind, ddof)


@jit
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
