"""Rolling sum, mean, variance, standard deviation and z-score.

Method. Time is cut into blocks of one window's length. A window that ends in a block is a tail of the values before
the block and a head of the block, so its sums are one running sum backward plus one forward (van Herk and Gil-Werman,
for sums). Nothing that left a window was ever in its sums, so an outlier leaves no trace, and a window costs the same
whatever its length.

Accuracy. Sums are of deviations from a pivot, the first value of the block. Every window that ends in the block
contains it. A window of w values whose pivot lies far from the rest has a variance of at least 1/w of the sum of
squared deviations, so cancellation is bounded for any data; where it passes `CONDITION`, the window is computed again
in two passes. Constant windows give exactly zero.

Causality. The pivot and the order of every addition depend on the window and on values up to the one computed, never on
later values, on the length of the history, or on the number of threads.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, check_window, result_array
from kernels.compile import jit
from kernels.forms import run
from kernels.scans import prefix_sums, prefix_sums_and_squares, suffix_sums, suffix_sums_and_squares

__all__ = ["rolling_mean", "rolling_std", "rolling_sum", "rolling_var", "rolling_zscore"]

SUM, MEAN, VARIANCE, DEVIATION, ZSCORE = range(5)

CONDITION = 64.0
"""Ratio of the squares about the pivot to those about the mean above which a window is computed again in two passes."""


def rolling_sum(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Sum of the last `window` values. See `rolling_mean` for the arguments."""
    return _rolling(_first_moment, values, window, min_periods, out, threads, SUM)


def rolling_mean(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Mean of the last `window` values.

    Parameters
    ----------
    values
        One series, or a matrix with time down the rows and a series in each column. Converted to float64 if it is not.
    window
        Number of rows, the current one included.
    min_periods
        Smallest number of valid (not NaN) values in a window that has a result; the window's length unless given.
        With the default, a NaN makes every window that holds it NaN; with less, NaN are left out.
    out
        Where to put the result: float64 of the same shape and order, not overlapping the values.
    threads
        Most threads to use. The result does not depend on it.

    Returns
    -------
    Floats
        An array of the same shape; NaN where a window has fewer than `min_periods` valid values. A window that holds
        an infinite value has a sum and a mean by the rules of IEEE 754, and NaN for the other moments; later windows
        are not touched.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the values are not numbers.
    """
    return _rolling(_first_moment, values, window, min_periods, out, threads, MEAN)


def rolling_var(
    values: npt.ArrayLike,
    window: int,
    *,
    ddof: int = 1,
    min_periods: int | None = None,
    out: Floats | None = None,
    threads: int = 1,
) -> Floats:
    """Variance of the last `window` values, with divisor n - `ddof`. The arguments are those of `rolling_std`."""
    return _rolling(_second_moment, values, window, min_periods, out, threads, VARIANCE, ddof)


def rolling_std(
    values: npt.ArrayLike,
    window: int,
    *,
    ddof: int = 1,
    min_periods: int | None = None,
    out: Floats | None = None,
    threads: int = 1,
) -> Floats:
    """Sample standard deviation of the last `window` values.

    The arguments are those of `rolling_mean`; the divisor is n - `ddof`, and the result NaN where that is not
    positive. The relative error is below 1e-12, also on a high mean and after an outlier has left the window, as long
    as squares of the values do not overflow.
    """
    return _rolling(_second_moment, values, window, min_periods, out, threads, DEVIATION, ddof)


def rolling_zscore(
    values: npt.ArrayLike,
    window: int,
    *,
    ddof: int = 1,
    min_periods: int | None = None,
    out: Floats | None = None,
    threads: int = 1,
) -> Floats:
    """Last value minus the window's mean, divided by the window's standard deviation; the last value is in the window.

    The arguments are those of `rolling_std`. NaN where the deviation is zero, and where the last value is missing.
    """
    return _rolling(_second_moment, values, window, min_periods, out, threads, ZSCORE, ddof)


def _rolling(
    kernel: Callable[..., None],
    values: npt.ArrayLike,
    window: int,
    min_periods: int | None,
    out: Floats | None,
    threads: int,
    *parameters: int,
) -> Floats:
    array = as_floats(values)
    window, least = check_window(window, min_periods)
    result = result_array(array, out)
    run(kernel, array, result, window, least, *parameters, threads=threads, grain=window)
    return result


@jit
def _pivot(x: Floats, first: int, begin: int, stop: int) -> float:
    """Return the last finite value up to `begin`, else the first after it: known by then, wherever it is used."""
    for i in range(begin, first - 1, -1):
        value: float = x[i]
        if math.isfinite(value):
            return value
    for i in range(begin + 1, stop):
        value: float = x[i]
        if math.isfinite(value):
            return value
    return 0.0


@jit
def _deviations(x: Floats, pivot: float, d: Floats) -> None:
    for k in range(x.size):
        d[k] = x[k] - pivot


@jit
def _deviations_and_counts(x: Floats, pivot: float, d: Floats, valid: Floats) -> None:
    """Like `_deviations`, with zero for missing values and one or zero for their presence."""
    for k in range(x.size):
        present = x[k] == x[k]
        d[k] = x[k] - pivot if present else 0.0
        valid[k] = 1.0 if present else 0.0


@jit
def _has_missing(x: Floats) -> bool:
    count = 0
    for k in range(x.size):
        count += x[k] != x[k]
    return count > 0


@jit
def _first_moment(x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int) -> None:
    """Write sums or means to ``out[start:stop]``; `start` is a multiple of the window."""
    d, before, since = np.empty(window), np.empty(window), np.empty(window)
    valid, valid_before, valid_since = np.empty(window), np.empty(window), np.empty(window)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        first = max(begin - window + 1, 0)
        absent = window - 1 - (begin - first)
        pivot = _pivot(x, first, begin, end) if kind == MEAN else 0.0
        size = end - begin
        target = out[begin:end]
        d[:absent] = 0.0
        if least == window or not (absent or _has_missing(x[first:end])):
            _deviations(x[first : begin + 1], pivot, d[absent:])
            suffix_sums(d, before)
            _deviations(x[begin:end], pivot, d[:size])
            d[0] = 0.0
            prefix_sums(d[:size], since)
            _finish_full(before[:size], since[:size], pivot, 1.0 / window if kind == MEAN else 1.0, target)
            target[: min(absent, size)] = np.nan
        else:
            valid[:absent] = 0.0
            _deviations_and_counts(x[first : begin + 1], pivot, d[absent:], valid[absent:])
            suffix_sums(d, before)
            suffix_sums(valid, valid_before)
            _deviations_and_counts(x[begin:end], pivot, d[:size], valid[:size])
            d[0] = valid[0] = 0.0
            prefix_sums(d[:size], since)
            prefix_sums(valid[:size], valid_since)
            _finish_partial(
                before[:size], since[:size], valid_before[:size], valid_since[:size], pivot, least, kind, target
            )


@jit
def _finish_full(before: Floats, since: Floats, pivot: float, scale: float, out: Floats) -> None:
    for k in range(out.size):
        out[k] = pivot + (before[k] + since[k]) * scale


@jit
def _finish_partial(
    before: Floats,
    since: Floats,
    valid_before: Floats,
    valid_since: Floats,
    pivot: float,
    least: int,
    kind: int,
    out: Floats,
) -> None:
    for k in range(out.size):
        n = valid_before[k] + valid_since[k]
        scale = 1.0 / n if kind == MEAN else 1.0
        out[k] = pivot + (before[k] + since[k]) * scale if n >= least else np.nan


@jit
def _second_moment(
    x: Floats, out: Floats, start: int, stop: int, window: int, least: int, kind: int, ddof: int
) -> None:
    """Write variances, deviations or z-scores to ``out[start:stop]``; `start` is a multiple of the window."""
    d, before, since = np.empty(window), np.empty(window), np.empty(window)
    squares_before, squares_since = np.empty(window), np.empty(window)
    valid, valid_before, valid_since = np.empty(window), np.empty(window), np.empty(window)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        first = max(begin - window + 1, 0)
        absent = window - 1 - (begin - first)
        pivot = _pivot(x, first, begin, end)
        size = end - begin
        a0, a1, q0, q1 = before[:size], since[:size], squares_before[:size], squares_since[:size]
        target = out[begin:end]
        d[:absent] = 0.0
        if least == window or not (absent or _has_missing(x[first:end])):
            _deviations(x[first : begin + 1], pivot, d[absent:])
            suffix_sums_and_squares(d, before, squares_before)
            _deviations(x[begin:end], pivot, d[:size])
            d[0] = 0.0
            prefix_sums_and_squares(d[:size], since, squares_since)
            poor = _finish_full_second(x[begin:end], a0, a1, q0, q1, pivot, window, ddof, kind, target)
            target[: min(absent, size)] = np.nan
            valid_before[:] = window
            valid_since[:] = 0.0
        else:
            valid[:absent] = 0.0
            _deviations_and_counts(x[first : begin + 1], pivot, d[absent:], valid[absent:])
            suffix_sums_and_squares(d, before, squares_before)
            suffix_sums(valid, valid_before)
            _deviations_and_counts(x[begin:end], pivot, d[:size], valid[:size])
            d[0] = valid[0] = 0.0
            prefix_sums_and_squares(d[:size], since, squares_since)
            prefix_sums(valid[:size], valid_since)
            n0, n1 = valid_before[:size], valid_since[:size]
            poor = _finish_partial_second(x[begin:end], a0, a1, q0, q1, n0, n1, pivot, least, ddof, kind, target)
        if poor > 0:
            for k in range(size):
                n = valid_before[k] + valid_since[k]
                if begin + k >= window - 1 or least < window:
                    sums, squares = a0[k] + a1[k], q0[k] + q1[k]
                    if n >= least and n > ddof and squares - sums * (sums * (1.0 / n)) < squares / CONDITION:
                        i = begin + k
                        target[k] = _in_two_passes(x[max(i - window + 1, 0) : i + 1], n, ddof, kind)


@jit
def _moment(deviation: float, variance: float, kind: int) -> float:
    """Return what is asked for, from the last value's deviation from the mean and the variance."""
    if kind == VARIANCE:
        return variance
    if kind == DEVIATION:
        return math.sqrt(variance)
    return deviation / math.sqrt(variance)


@jit
def _finish_full_second(
    x: Floats,
    a0: Floats,
    a1: Floats,
    q0: Floats,
    q1: Floats,
    pivot: float,
    window: int,
    ddof: int,
    kind: int,
    out: Floats,
) -> int:
    """Combine the sums where every window is full; return how many windows are ill-conditioned."""
    scale = 1.0 / window
    divisor = 1.0 / (window - ddof) if window > ddof else np.nan
    poor = 0
    for k in range(out.size):
        total = a0[k] + a1[k]
        squares = q0[k] + q1[k]
        mean = total * scale
        about_mean = squares - total * mean
        poor += about_mean < squares / CONDITION
        out[k] = _moment((x[k] - pivot) - mean, about_mean * divisor, kind)
    return poor


@jit
def _finish_partial_second(
    x: Floats,
    a0: Floats,
    a1: Floats,
    q0: Floats,
    q1: Floats,
    n0: Floats,
    n1: Floats,
    pivot: float,
    least: int,
    ddof: int,
    kind: int,
    out: Floats,
) -> int:
    """Combine the sums where values are missing; return how many windows are ill-conditioned."""
    poor = 0
    for k in range(out.size):
        n = n0[k] + n1[k]
        total = a0[k] + a1[k]
        squares = q0[k] + q1[k]
        mean = total * (1.0 / n)
        about_mean = squares - total * mean
        poor += about_mean < squares / CONDITION
        divisor = 1.0 / (n - ddof) if n >= least and n > ddof else np.nan
        out[k] = _moment((x[k] - pivot) - mean, about_mean * divisor, kind)
    return poor


@jit
def _in_two_passes(x: Floats, n: float, ddof: int, kind: int) -> float:
    """Compute one window's moment about its mean, from deviations about its last valid value."""
    last = x.size - 1
    while x[last] != x[last]:
        last -= 1
    pivot = x[last]
    total = 0.0
    for value in x:
        if value == value:
            total += value - pivot
    mean = total / n
    squares = 0.0
    rest = 0.0
    for value in x:
        if value == value:
            d = (value - pivot) - mean
            squares += d * d
            rest += d
    return _moment((x[x.size - 1] - pivot) - mean, (squares - rest * (rest / n)) / (n - ddof), kind)
