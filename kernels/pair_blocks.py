"""Compiled code of the rolling covariance, correlation and beta: one block of windows at a time.

The sums over the part of a window before the block are rows of one array: those of x, y, their squares, their
products, and the count of pairs. `kernels.moment_blocks` has the same steps for one series.
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
    greater,
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
from kernels.moment_blocks import CONDITION

__all__ = ["BETA", "CORRELATION", "COVARIANCE", "co_moment"]

COVARIANCE, CORRELATION, BETA = range(3)


@jit
def co_moment(
    x: Floats, y: Floats, out: Floats, start: int, stop: int, window: int, least: int, ddof: int, kind: int
) -> None:
    """Write covariances, correlations or betas to ``out[start:stop]``; `start` is a multiple of the window."""
    size = window + 2 * WIDTH
    before, margin = np.zeros((6, size)), np.empty(size)
    copy_x, copy_y, result = np.empty(0), np.empty(0), np.empty(0)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        pivot_x, pivot_y = _pivots(x, y, max(begin - window + 1, 0), begin, end)
        inside = has_room(begin, end, stop, window)
        source_x, source_y, target, row, place = x, y, out, begin, begin
        if not inside:
            if copy_x.size == 0:
                copy_x, copy_y, result = np.zeros(2 * size), np.zeros(2 * size), np.empty(size)
            row = copy_around(x, begin, end, window, copy_x)
            row = copy_around(y, begin, end, window, copy_y)
            source_x, source_y, target, place = copy_x, copy_y, result, 0
        rows = end - begin
        shape = (window, least, ddof, kind)
        if is_complete(x, begin, end, window, least) and is_complete(y, begin, end, window, least):
            if begin > 0:
                _sums_before(source_x, source_y, row, window, pivot_x, pivot_y, before, True)
            worst = _finish(source_x, source_y, row, rows, pivot_x, pivot_y, before, shape, margin, target, place, True)
        else:
            if begin > 0:
                _sums_before(source_x, source_y, row, window, pivot_x, pivot_y, before, False)
            worst = _finish(
                source_x, source_y, row, rows, pivot_x, pivot_y, before, shape, margin, target, place, False
            )
        if begin == 0 and least == window:
            target[: window - 1] = np.nan
            margin[: window - 1] = 0.0
        if worst < 0.0:
            _recompute(x, y, begin, end, shape, margin, target, place)
        if not inside:
            out[begin:end] = result[: end - begin]


@jit
def _pivots(x: Floats, y: Floats, begin: int, middle: int, end: int) -> tuple[float, float]:
    """Return the last finite pair up to `middle`, else the first after it: known by then, wherever it is used."""
    for i in range(middle, begin - 1, -1):
        if math.isfinite(x[i]) and math.isfinite(y[i]):
            return x[i], y[i]
    for i in range(middle + 1, end):
        if math.isfinite(x[i]) and math.isfinite(y[i]):
            return x[i], y[i]
    return 0.0, 0.0


@inlined
def _deviations(x: Lanes, y: Lanes, pivot_x: float, pivot_y: float, complete: bool) -> tuple[Lanes, Lanes, Lanes]:
    """Return both deviations, and one for each pair; zeros where either value is missing."""
    dx, dy = x - pivot_x, y - pivot_y
    if complete:
        return dx, dy, fill(1.0)
    both = dx + dy
    return where_present(both, dx, 0.0), where_present(both, dy, 0.0), where_present(both, fill(1.0), 0.0)


@inlined
def _sums_before(
    x: Floats, y: Floats, begin: int, window: int, pivot_x: float, pivot_y: float, before: Floats, complete: bool
) -> None:
    """Write the sums over rows ``begin - window + 1 + k`` to ``begin`` to ``before[:, WIDTH + k]``."""
    to_x, to_y, to_xx, to_yy, to_xy, to_n = before[0], before[1], before[2], before[3], before[4], before[5]
    sx = sy = sxx = syy = sxy = count = fill(0.0)
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        row = begin - window + 1 + k
        dx, dy, one = _deviations(load(x, row), load(y, row), pivot_x, pivot_y, complete)
        sx = _add_before(to_x, k, dx, sx)
        sy = _add_before(to_y, k, dy, sy)
        sxx = _add_before(to_xx, k, dx * dx, sxx)
        syy = _add_before(to_yy, k, dy * dy, syy)
        sxy = _add_before(to_xy, k, dx * dy, sxy)
        if not complete:
            count = _add_before(to_n, k, one, count)


@inlined
def _add_before(before: Floats, k: int, values: Lanes, total: Lanes) -> Lanes:
    """Store the sums from each value on, and return the total of all in every lane."""
    sums = running_back(values)
    store(before, WIDTH + k, sums + total)
    return total + spread_first(sums)


@inlined
def _add_since(before: Floats, k: int, values: Lanes, total: Lanes) -> tuple[Lanes, Lanes]:
    """Return the sums over whole windows, and the total inside the block in every lane."""
    sums = running(values)
    return (sums + total) + load(before, WIDTH + k), total + spread_last(sums)


@inlined
def _finish(
    x: Floats,
    y: Floats,
    begin: int,
    size: int,
    pivot_x: float,
    pivot_y: float,
    before: Floats,
    shape: tuple[int, int, int, int],
    margin: Floats,
    out: Floats,
    place: int,
    complete: bool,
) -> float:
    """Write the results of one block; return less than zero if some are ill-conditioned."""
    window, least, ddof, kind = shape
    from_x, from_y, from_xx, from_yy, from_xy, from_n = before[0], before[1], before[2], before[3], before[4], before[5]
    enough = float(max(least, ddof + 1))
    sx = sy = sxx = syy = sxy = count = worst = fill(0.0)
    scale = fill(1.0 / window)
    divisor = fill(1.0 / (window - ddof) if window > ddof else np.nan)
    for k in range(0, size, WIDTH):
        dx, dy, one = _deviations(load(x, begin + k), load(y, begin + k), pivot_x, pivot_y, complete)
        sum_x, sx = _add_since(from_x, k, dx, sx)
        sum_y, sy = _add_since(from_y, k, dy, sy)
        sum_xx, sxx = _add_since(from_xx, k, dx * dx, sxx)
        sum_yy, syy = _add_since(from_yy, k, dy * dy, syy)
        sum_xy, sxy = _add_since(from_xy, k, dx * dy, sxy)
        if not complete:
            n, count = _add_since(from_n, k, one, count)
            scale, divisor = 1.0 / n, where_at_least(n, enough, 1.0 / (n - float(ddof)), np.nan)
        about_x, about_y = sum_xx - sum_x * (sum_x * scale), sum_yy - sum_y * (sum_y * scale)
        products = sum_xy - sum_x * (sum_y * scale)
        slack = less(about_x * CONDITION - sum_xx, about_y * CONDITION - sum_yy)
        store(margin, k, slack)
        worst = less(slack, worst)
        if kind == CORRELATION:
            result = products / (root(about_x) * root(about_y))
            result = greater(fill(-1.0), less(fill(1.0), result))
        elif kind == BETA:
            result = products / about_y
        else:
            result = products * divisor
        result = where_present(about_x + about_y + divisor, result, np.nan)
        store(out, place + k, result)
    return first(running_back(worst))  # type: ignore[no-any-return]


@jit
def _recompute(
    x: Floats,
    y: Floats,
    begin: int,
    end: int,
    shape: tuple[int, int, int, int],
    margin: Floats,
    out: Floats,
    place: int,
) -> None:
    """Replace the results whose margin is negative."""
    window, least, ddof, kind = shape
    for i in range(begin, end):
        if margin[i - begin] < 0.0:
            oldest = max(i - window + 1, 0)
            out[place + i - begin] = _in_two_passes(x[oldest : i + 1], y[oldest : i + 1], least, ddof, kind)


@jit
def _in_two_passes(x: Floats, y: Floats, least: int, ddof: int, kind: int) -> float:
    """Compute one window's result about its means, from deviations about its last valid pair."""
    pivot_x = pivot_y = 0.0
    n = 0
    for i in range(x.size):
        if x[i] + y[i] == x[i] + y[i]:
            pivot_x, pivot_y = x[i], y[i]
            n += 1
    if n < least or n <= ddof:
        return np.nan
    mean_x = mean_y = 0.0
    for i in range(x.size):
        if x[i] + y[i] == x[i] + y[i]:
            mean_x += x[i] - pivot_x
            mean_y += y[i] - pivot_y
    mean_x /= n
    mean_y /= n
    about_x = about_y = products = 0.0
    for i in range(x.size):
        if x[i] + y[i] == x[i] + y[i]:
            dx, dy = (x[i] - pivot_x) - mean_x, (y[i] - pivot_y) - mean_y
            about_x += dx * dx
            about_y += dy * dy
            products += dx * dy
    if kind == COVARIANCE:
        return products / (n - ddof)
    if kind == BETA:
        return products / about_y
    return max(-1.0, min(1.0, products / (math.sqrt(about_x) * math.sqrt(about_y))))
