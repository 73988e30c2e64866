"""Compiled code of the rolling moments: one block of windows at a time. `kernels.moments` says how and why.

Block ``[begin, end)`` holds the last rows of its windows. `before` receives, for each of them, the sum over the part
of the window that lies before the block; the sum over the part inside the block runs along while results are written.

Vectors may reach up to three values past both ends of what a block needs. Surplus lanes never flow into the others,
and what they write the next block overwrites. Where the array ends there, the block is worked on in a padded copy.
"""

import math

import numpy as np

from kernels.arrays import Floats
from kernels.blocks import copy_around, has_missing, has_room
from kernels.compile import inlined, jit
from kernels.lanes import (
    WIDTH,
    Lanes,
    fill,
    first,
    last,
    less,
    load,
    root,
    running,
    running_back,
    store,
    where_at_least,
    where_present,
)

__all__ = ["DEVIATION", "MEAN", "SUM", "VARIANCE", "ZSCORE", "first_moment", "second_moment"]

SUM, MEAN, VARIANCE, DEVIATION, ZSCORE = range(5)

CONDITION = 64.0
"""Ratio of the squares about the pivot to those about the mean above which a window is computed again in two passes."""


@jit
def first_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int) -> None:
    """Write sums or means to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    before, counts = np.zeros(size), np.zeros(size)
    copy, result = np.empty(0), np.empty(0)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        inside = has_room(begin, end, stop, window)
        if not inside and copy.size == 0:
            copy, result = np.zeros(2 * size), np.empty(size)
        source, first_row = (x, begin) if inside else (copy, copy_around(x, begin, end, window, copy))
        target, place = (out, begin) if inside else (result, 0)
        pivot = _central(x, max(begin - window + 1, 0), begin, end) if kind == MEAN else 0.0
        if least == window or not (begin == 0 or has_missing(x[begin - window + 1 : end])):
            if begin > 0:
                _sums_before(source, first_row, window, pivot, before)
            scale = 1.0 / window if kind == MEAN else 1.0
            _full_first(source, first_row, end - begin, pivot, scale, before, target, place)
            if begin == 0:
                target[: window - 1] = np.nan
        else:
            if begin > 0:
                _present_sums_before(source, first_row, window, pivot, before, counts)
            _partial_first(source, first_row, end - begin, pivot, least, kind, before, counts, target, place)
        if not inside:
            out[begin:end] = result[: end - begin]


@jit
def second_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, ddof: int) -> None:
    """Write variances, deviations or z-scores to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    before, squares, counts, margin = np.zeros(size), np.zeros(size), np.zeros(size), np.empty(size)
    copy, result = np.empty(0), np.empty(0)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        inside = has_room(begin, end, stop, window)
        if not inside and copy.size == 0:
            copy, result = np.zeros(2 * size), np.empty(size)
        source, first_row = (x, begin) if inside else (copy, copy_around(x, begin, end, window, copy))
        target, place = (out, begin) if inside else (result, 0)
        pivot = _pivot(x, max(begin - window + 1, 0), begin, end)
        if least == window or not (begin == 0 or has_missing(x[begin - window + 1 : end])):
            if begin > 0:
                _squares_before(source, first_row, window, pivot, before, squares)
            worst = _full_second(
                source, first_row, end - begin, pivot, window, ddof, kind, before, squares, margin, target, place
            )
            if begin == 0:
                target[: window - 1] = np.nan
                margin[: window - 1] = 0.0
        else:
            if begin > 0:
                _present_squares_before(source, first_row, window, pivot, before, squares, counts)
            worst = _partial_second(
                source, first_row, end - begin, pivot, least, ddof, kind, before, squares, counts, margin, target, place
            )
        if worst < 0.0:
            _recompute(x, begin, end, window, least, ddof, kind, margin, target, place)
        if not inside:
            out[begin:end] = result[: end - begin]


@jit
def _pivot(x: Floats, begin: int, middle: int, end: int) -> float:
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
    pivot = _pivot(x, begin, middle, end)
    one, two, three = x[begin], x[(begin + middle) // 2], x[middle]
    if math.isfinite(one) and math.isfinite(two) and math.isfinite(three):
        median = max(min(one, two), min(max(one, two), three))
        if abs(median) < abs(pivot):
            pivot = median
    return pivot


@jit
def _sums_before(x: Floats, begin: int, window: int, pivot: float, before: Floats) -> None:
    """Write the sums over ``x[begin - window + 1 + k : begin]`` to ``before[WIDTH + k]``."""
    total = 0.0
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        sums = running_back(load(x, begin - window + 1 + k) - pivot)
        store(before, WIDTH + k, sums + total)
        total += first(sums)


@jit
def _present_sums_before(x: Floats, begin: int, window: int, pivot: float, before: Floats, counts: Floats) -> None:
    """Do as `_sums_before` over the values that are present, and count them."""
    total = count = 0.0
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        values = load(x, begin - window + 1 + k)
        sums = running_back(where_present(values, values - pivot, 0.0))
        present = running_back(where_present(values, fill(1.0), 0.0))
        store(before, WIDTH + k, sums + total)
        store(counts, WIDTH + k, present + count)
        total += first(sums)
        count += first(present)


@jit
def _squares_before(x: Floats, begin: int, window: int, pivot: float, before: Floats, squares_before: Floats) -> None:
    """Do as `_sums_before`, for squares too."""
    total = square_total = 0.0
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        d = load(x, begin - window + 1 + k) - pivot
        sums, squares = running_back(d), running_back(d * d)
        store(before, WIDTH + k, sums + total)
        store(squares_before, WIDTH + k, squares + square_total)
        total += first(sums)
        square_total += first(squares)


@jit
def _present_squares_before(
    x: Floats, begin: int, window: int, pivot: float, before: Floats, squares_before: Floats, counts: Floats
) -> None:
    """Do as `_squares_before` over the values that are present, and count them."""
    _present_sums_before(x, begin, window, pivot, before, counts)
    square_total = 0.0
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        values = load(x, begin - window + 1 + k)
        d = where_present(values, values - pivot, 0.0)
        squares = running_back(d * d)
        store(squares_before, WIDTH + k, squares + square_total)
        square_total += first(squares)


@jit
def _full_first(
    x: Floats, begin: int, size: int, pivot: float, scale: float, before: Floats, out: Floats, place: int
) -> None:
    """Write the first moments of windows without missing values."""
    total = 0.0
    for k in range(0, size, WIDTH):
        sums = running(load(x, begin + k) - pivot)
        both = (sums + total) + load(before, WIDTH + k)
        total += last(sums)
        store(out, place + k, both * scale + pivot)


@jit
def _partial_first(
    x: Floats,
    begin: int,
    size: int,
    pivot: float,
    least: int,
    kind: int,
    before: Floats,
    counts: Floats,
    out: Floats,
    place: int,
) -> None:
    """Write the first moments of windows with missing values."""
    total = count = 0.0
    for k in range(0, size, WIDTH):
        values = load(x, begin + k)
        sums = running(where_present(values, values - pivot, 0.0))
        present = running(where_present(values, fill(1.0), 0.0))
        both = (sums + total) + load(before, WIDTH + k)
        n = (present + count) + load(counts, WIDTH + k)
        total += last(sums)
        count += last(present)
        moment = both * (1.0 / n) + pivot if kind == MEAN else both + pivot
        store(out, place + k, where_at_least(n, float(least), moment, np.nan))


@jit
def _full_second(
    x: Floats,
    begin: int,
    size: int,
    pivot: float,
    window: int,
    ddof: int,
    kind: int,
    before: Floats,
    squares_before: Floats,
    margin: Floats,
    out: Floats,
    place: int,
) -> float:
    """Write the second moments of windows without missing values; return less than zero if some are ill-conditioned."""
    scale = 1.0 / window
    divisor = 1.0 / (window - ddof) if window > ddof else np.nan
    total = square_total = 0.0
    worst = fill(0.0)
    for k in range(0, size, WIDTH):
        d = load(x, begin + k) - pivot
        sums, squares = running(d), running(d * d)
        both = (sums + total) + load(before, WIDTH + k)
        both_squares = (squares + square_total) + load(squares_before, WIDTH + k)
        total += last(sums)
        square_total += last(squares)
        mean = both * scale
        about_mean = both_squares - both * mean
        slack = about_mean * CONDITION - both_squares
        store(margin, k, slack)
        worst = less(slack, worst)
        store(out, place + k, _moment(d - mean, about_mean * divisor, kind))
    return first(running_back(worst))  # type: ignore[no-any-return]


@jit
def _partial_second(
    x: Floats,
    begin: int,
    size: int,
    pivot: float,
    least: int,
    ddof: int,
    kind: int,
    before: Floats,
    squares_before: Floats,
    counts: Floats,
    margin: Floats,
    out: Floats,
    place: int,
) -> float:
    """Write the second moments of windows with missing values; the result is that of `_full_second`."""
    enough = float(max(least, ddof + 1))
    total = square_total = count = 0.0
    worst = fill(0.0)
    for k in range(0, size, WIDTH):
        values = load(x, begin + k)
        d = where_present(values, values - pivot, 0.0)
        sums, squares = running(d), running(d * d)
        present = running(where_present(values, fill(1.0), 0.0))
        both = (sums + total) + load(before, WIDTH + k)
        both_squares = (squares + square_total) + load(squares_before, WIDTH + k)
        n = (present + count) + load(counts, WIDTH + k)
        total += last(sums)
        square_total += last(squares)
        count += last(present)
        mean = both * (1.0 / n)
        about_mean = both_squares - both * mean
        slack = about_mean * CONDITION - both_squares
        store(margin, k, slack)
        worst = less(slack, worst)
        moment = _moment((values - pivot) - mean, about_mean * (1.0 / (n - float(ddof))), kind)
        store(out, place + k, where_at_least(n, enough, moment, np.nan))
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
    ddof: int,
    kind: int,
    margin: Floats,
    out: Floats,
    place: int,
) -> None:
    """Replace the results whose margin is negative."""
    for i in range(begin, end):
        if margin[i - begin] < 0.0:
            out[place + i - begin] = _in_two_passes(x[max(i - window + 1, 0) : i + 1], least, ddof, kind)


@jit
def _in_two_passes(x: Floats, least: int, ddof: int, kind: int) -> float:
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
