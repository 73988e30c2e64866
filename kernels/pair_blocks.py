"""Compiled code of the rolling covariance, correlation and beta: one block of windows at a time.

The sums over the part of a window before the block are rows of one array: those of x, y, their squares, their
products, and the count of pairs. `kernels.moment_blocks` has the same steps for one series.
"""

import math

import numpy as np

from kernels.arrays import Floats
from kernels.blocks import copy_around, has_room
from kernels.compile import inlined, jit
from kernels.lanes import (
    WIDTH,
    Lanes,
    fill,
    first,
    greater,
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
        if begin > 0:
            _sums_before(source_x, source_y, row, window, pivot_x, pivot_y, before)
        worst = _finish(
            source_x, source_y, row, end - begin, pivot_x, pivot_y, before, least, ddof, kind, margin, target, place
        )
        if worst < 0.0:
            for i in range(begin, end):
                if margin[i - begin] < 0.0:
                    oldest = max(i - window + 1, 0)
                    target[place + i - begin] = _in_two_passes(x[oldest : i + 1], y[oldest : i + 1], least, ddof, kind)
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
def _deviations(x: Lanes, y: Lanes, pivot_x: float, pivot_y: float) -> tuple[Lanes, Lanes, Lanes]:
    """Return both deviations and 1.0, or zeros where either value is missing."""
    dx, dy = x - pivot_x, y - pivot_y
    both = dx + dy
    return where_present(both, dx, 0.0), where_present(both, dy, 0.0), where_present(both, fill(1.0), 0.0)


@jit
def _sums_before(x: Floats, y: Floats, begin: int, window: int, pivot_x: float, pivot_y: float, before: Floats) -> None:
    """Write the sums over rows ``begin - window + 1 + k`` to ``begin`` to ``before[:, WIDTH + k]``."""
    sx = sy = sxx = syy = sxy = count = 0.0
    for k in range(window - 1 - WIDTH, -WIDTH, -WIDTH):
        row = begin - window + 1 + k
        dx, dy, one = _deviations(load(x, row), load(y, row), pivot_x, pivot_y)
        sx = _store_total(before[0], k, running_back(dx), sx)
        sy = _store_total(before[1], k, running_back(dy), sy)
        sxx = _store_total(before[2], k, running_back(dx * dx), sxx)
        syy = _store_total(before[3], k, running_back(dy * dy), syy)
        sxy = _store_total(before[4], k, running_back(dx * dy), sxy)
        count = _store_total(before[5], k, running_back(one), count)


@inlined
def _store_total(before: Floats, k: int, sums: Lanes, total: float) -> float:
    """Store sums with those of the later values added, and return the total of all."""
    store(before, WIDTH + k, sums + total)
    return total + first(sums)  # type: ignore[no-any-return]


@jit
def _finish(
    x: Floats,
    y: Floats,
    begin: int,
    size: int,
    pivot_x: float,
    pivot_y: float,
    before: Floats,
    least: int,
    ddof: int,
    kind: int,
    margin: Floats,
    out: Floats,
    place: int,
) -> float:
    """Write the results; return less than zero if some are ill-conditioned."""
    enough = float(max(least, ddof + 1))
    sx = sy = sxx = syy = sxy = count = 0.0
    worst = fill(0.0)
    for k in range(0, size, WIDTH):
        dx, dy, one = _deviations(load(x, begin + k), load(y, begin + k), pivot_x, pivot_y)
        rx, ry, rxx, ryy = running(dx), running(dy), running(dx * dx), running(dy * dy)
        rxy, rn = running(dx * dy), running(one)
        n = (rn + count) + load(before[5], WIDTH + k)
        mean_x = ((rx + sx) + load(before[0], WIDTH + k)) * (1.0 / n)
        mean_y = ((ry + sy) + load(before[1], WIDTH + k)) * (1.0 / n)
        squares_x = (rxx + sxx) + load(before[2], WIDTH + k)
        squares_y = (ryy + syy) + load(before[3], WIDTH + k)
        about_x = squares_x - n * mean_x * mean_x
        about_y = squares_y - n * mean_y * mean_y
        products = ((rxy + sxy) + load(before[4], WIDTH + k)) - n * mean_x * mean_y
        sx, sy, sxx, syy = sx + last(rx), sy + last(ry), sxx + last(rxx), syy + last(ryy)
        sxy, count = sxy + last(rxy), count + last(rn)
        slack = less(about_x * CONDITION - squares_x, about_y * CONDITION - squares_y)
        store(margin, k, slack)
        worst = less(slack, worst)
        result = products / (n - float(ddof))
        if kind == CORRELATION:
            result = products / (root(about_x) * root(about_y))
            result = greater(fill(-1.0), less(fill(1.0), result))
        elif kind == BETA:
            result = products / about_y
        result = where_present(about_x + about_y, result, np.nan)
        store(out, place + k, where_at_least(n, enough, result, np.nan))
    return first(running_back(worst))  # type: ignore[no-any-return]


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
