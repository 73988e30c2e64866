"""Compiled code of the rolling covariance, correlation and beta: `kernels.moment_blocks` for two series."""

import math
from typing import Any

import numpy as np

from kernels.arrays import Floats
from kernels.blocks import Row, State, four_blocks, is_complete, one_block, tails_for
from kernels.compile import inlined, inner, jit
from kernels.lanes import WIDTH, fill, greater, lanes_of, less, root, store, where_at_least, where_present
from kernels.moment_blocks import CONDITION

__all__ = ["BETA", "CORRELATION", "COVARIANCE", "co_moment"]

COVARIANCE, CORRELATION, BETA = range(3)

Constants = tuple[Any, Any, float, float, float, float, int]
"""Both pivots, one over the window, one over the divisor, least count, degrees of freedom taken, what is asked for."""


@jit
def co_moment(
    x: Floats, y: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, ddof: int
) -> None:
    """Write covariances, correlations or betas to ``out[start:stop]``; `start` is a multiple of the window."""
    tails, worst = tails_for(6, window), np.empty(WIDTH)
    scale, divisor = 1.0 / window, 1.0 / (window - ddof) if window > ddof else np.nan
    enough = float(max(least, ddof + 1))
    begin = start
    while begin < stop:
        end = begin + WIDTH * window
        if (
            begin > 0
            and end <= stop
            and is_complete(x, begin, end, window, least)
            and is_complete(y, begin, end, window, least)
        ):
            x0, y0 = _pivots(x, y, begin, begin + window, window)
            x1, y1 = _pivots(x, y, begin + window, begin + 2 * window, window)
            x2, y2 = _pivots(x, y, begin + 2 * window, begin + 3 * window, window)
            x3, y3 = _pivots(x, y, begin + 3 * window, end, window)
            pivot_x, pivot_y, none = lanes_of(x0, x1, x2, x3), lanes_of(y0, y1, y2, y3), fill(0.0)
            constants = (pivot_x, pivot_y, scale, divisor, enough, float(ddof), kind)
            zero = (none, none, none, none, none, none)
            store(worst, 0, four_blocks(_add, _co_moment, (x, y), out, begin, window, constants, zero, tails))
            for lane in range(WIDTH):
                if worst[lane] < 0.0:
                    first = begin + lane * window
                    _block(x, y, out, first, first + window, window, least, kind, ddof, tails)
        else:
            end = min(begin + window, stop)
            _block(x, y, out, begin, end, window, least, kind, ddof, tails)
        begin = end


@inner
def _block(
    x: Floats,
    y: Floats,
    out: Floats,
    begin: int,
    end: int,
    window: int,
    least: int,
    kind: int,
    ddof: int,
    tails: Floats,
) -> None:
    """Write the results of one block, the ill-conditioned ones in two passes."""
    scale, divisor = 1.0 / window, 1.0 / (window - ddof) if window > ddof else np.nan
    pivot_x, pivot_y = _pivots(x, y, begin, end, window)
    constants = (pivot_x, pivot_y, scale, divisor, float(max(least, ddof + 1)), float(ddof), kind)
    zero = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if one_block(_add, _co_moment, (x, y), out, begin, end, window, least, constants, zero, tails) < 0.0:
        for i in range(begin, end):
            if tails[0, i - begin] < 0.0:
                oldest = max(i - window + 1, 0)
                out[i] = _in_two_passes(x[oldest : i + 1], y[oldest : i + 1], least, ddof, kind)


@inner
def _pivots(x: Floats, y: Floats, begin: int, end: int, window: int) -> tuple[float, float]:
    """Return a block's pivots: its first pair if finite, else the last finite one before in its windows, or after."""
    if math.isfinite(x[begin]) and math.isfinite(y[begin]):
        return x[begin], y[begin]
    for i in range(begin - 1, max(begin - window, -1), -1):
        if math.isfinite(x[i]) and math.isfinite(y[i]):
            return x[i], y[i]
    for i in range(begin + 1, end):
        if math.isfinite(x[i]) and math.isfinite(y[i]):
            return x[i], y[i]
    return 0.0, 0.0


@inlined
def _add(values: Row, constants: Constants, state: State, complete: bool) -> State:
    """Add a row to the sums of x and y, of their squares and products, and to the count of pairs."""
    dx, dy = values[0] - constants[0], values[1] - constants[1]
    sum_x, sum_y, sum_xx, sum_yy, sum_xy, count = state
    if complete:
        return sum_x + dx, sum_y + dy, sum_xx + dx * dx, sum_yy + dy * dy, sum_xy + dx * dy, count
    both = dx + dy
    ex, ey = where_present(both, dx, 0.0), where_present(both, dy, 0.0)
    counted = count + where_present(both, 1.0, 0.0)
    return sum_x + ex, sum_y + ey, sum_xx + ex * ex, sum_yy + ey * ey, sum_xy + ex * ey, counted


@inlined
def _co_moment(_values: Row, constants: Constants, inside: State, before: State, complete: bool) -> tuple[Any, Any]:
    """Return what is asked for about a window, and how far its squares are from being ill-conditioned."""
    _, _, scale, divisor, enough, ddof, kind = constants
    sum_x, sum_y = inside[0] + before[0], inside[1] + before[1]
    sum_xx, sum_yy, sum_xy = inside[2] + before[2], inside[3] + before[3], inside[4] + before[4]
    if complete:
        return _from_sums(sum_x, sum_y, sum_xx, sum_yy, sum_xy, scale, divisor, kind)
    count = inside[5] + before[5]
    divisors = where_at_least(count, enough, 1.0 / (count - ddof), np.nan)
    return _from_sums(sum_x, sum_y, sum_xx, sum_yy, sum_xy, 1.0 / count, divisors, kind)


@inlined
def _from_sums(
    sum_x: Any, sum_y: Any, sum_xx: Any, sum_yy: Any, sum_xy: Any, scale: Any, divisor: Any, kind: int
) -> tuple[Any, Any]:
    """Return a result and its margin from the sums about the pivots."""
    about_x, about_y = sum_xx - sum_x * (sum_x * scale), sum_yy - sum_y * (sum_y * scale)
    products = sum_xy - sum_x * (sum_y * scale)
    slack = less(about_x * CONDITION - sum_xx, about_y * CONDITION - sum_yy)
    known = about_x + about_y + divisor
    if kind == COVARIANCE:
        return where_present(known, products * divisor, np.nan), slack
    if kind == BETA:
        return where_present(known, products / about_y, np.nan), slack
    correlation = products / (root(about_x) * root(about_y))
    return where_present(known, greater(-1.0, less(1.0, correlation)), np.nan), slack


@inner
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
