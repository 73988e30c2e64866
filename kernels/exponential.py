"""Exponential moving averages.

The recurrence is written out for eight rows at a time, so that one product and one sum per eight rows wait for the rows
before. Groups begin at multiples of eight. The rows of a group from its first missing value on are computed one by one.
"""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Floats, as_bools, as_floats, result_array
from kernels.compile import inlined, inner, jit
from kernels.forms import WHOLE, apply
from kernels.lanes import WIDTH, Lanes, fill, first, last, load, running_back, running_decay, spread_last, store
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["ema", "ema_sampled"]

GROUP = 2 * WIDTH


def ema(values: npt.ArrayLike, span: float, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Exponential moving average of a given span, begun at the first value.

    The average is ``y_t = a x_t + (1 - a) y_{t-1}`` with ``a = 2 / (span + 1)``. This is pandas' ``ewm(span=span,
    adjust=False, ignore_na=True)``, except that a missing value gives NaN in its place instead of the last average.
    It is the average of the values that were observed: a missing one takes no part.

    Parameters
    ----------
    values
        One series, or a matrix with time down the rows and a series in each column.
    span
        At least 1; ``span = 1`` returns the values.
    out
        Where to put the result: float64 of the same shape and order, not overlapping the values.
    threads
        Most threads to use for a matrix; one series is a recurrence and uses one.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the values are not numbers.

    Notes
    -----
    An infinite value stays in the average for ever, as the recurrence says.
    """
    if not span >= 1:
        message = f"span must be at least 1, but is {span}."
        raise ValueError(message)
    weight = 2.0 / (span + 1.0)
    if np.ndim(values) < 2:
        return apply(_ema, values, out, threads, WHOLE, weight)
    array = as_floats(values)
    if array.flags.f_contiguous:
        return apply(_ema, array, out, threads, WHOLE, weight)
    result = result_array(array, out)
    share = max(-(-SMALLEST_SHARE // max(array.shape[0], 1)), WIDTH)
    in_parallel(lambda start, stop: _ema_by_rows(array, result, start, stop, weight), array.shape[1], share, threads)
    return result


def ema_sampled(values: npt.ArrayLike, is_sample: npt.ArrayLike, span: float) -> Floats:
    """Exponential moving average over some rows only, such as the last of each week, carried to the rows between.

    Parameters
    ----------
    values
        One series.
    is_sample
        Booleans of the same length: the rows that the average is made of. A row must be marked by what is known in
        it: that a session is the last of its week is known from the calendar.
    span
        At least 1, counted in samples.

    Returns
    -------
    Floats
        In each row the average as of the last sample up to it; NaN before the first, and after a missing sample until
        the next.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, the lengths differ, or the types do not fit.
    """
    array, flags = as_floats(values), as_bools(is_sample, "is_sample")
    if array.shape != flags.shape:
        message = f"values and is_sample must be two series of one length, but have {array.shape} and {flags.shape}."
        raise ValueError(message)
    averages = np.concatenate(([np.nan], ema(array[flags], span)))
    carried: Floats = averages[np.cumsum(flags)]
    return carried


@inner
def _fading(keep: float) -> Floats:
    """Return the powers of `keep` from the first to the last row of a group."""
    fade = np.empty(GROUP)
    fade[0] = keep
    for k in range(1, GROUP):
        fade[k] = fade[k - 1] * keep
    return fade


@jit
def _ema(x: Floats, out: Floats, start: int, stop: int, weight: float) -> None:
    """Write averages to ``out[start:stop]``, where `start` is the beginning of the series."""
    keep = 1.0 - weight
    fade = _fading(keep)
    fade_low, fade_high = load(fade, 0), load(fade, WIDTH)
    keep_squared, keep_group = fade[1], fade[GROUP - 1]
    buffer, result = np.empty(GROUP), np.empty(GROUP)
    average, started = fill(0.0), False  # the same number in all lanes
    i = start
    while i < stop:
        while started and i + GROUP <= stop:
            low = running_decay(load(x, i) * weight, keep, keep_squared)
            high = running_decay(load(x, i + WIDTH) * weight, keep, keep_squared) + fade_low * spread_last(low)
            newest = spread_last(high)
            if first(newest) != first(newest):
                break
            store(out, i, low + fade_low * average)
            store(out, i + WIDTH, high + fade_high * average)
            average = newest + keep_group * average
            i += GROUP
        count = min(GROUP, stop - i)
        buffer[:count] = x[i : i + count]
        latest, started = _group(buffer, count, result, first(average), started, weight, fade)
        average = fill(latest)
        out[i : i + count] = result[:count]
        i += count


@inner
def _group(
    x: Floats, count: int, out: Floats, average: float, started: bool, weight: float, fade: Floats
) -> tuple[float, bool]:
    """Write the first `count` averages of a group, some of whose values may be missing; return where it ends.

    The rows before the first missing value are computed together, as they are in a whole group; `x` is changed.
    """
    complete = 0
    while started and complete < count and x[complete] == x[complete]:
        complete += 1
    if complete > 0:
        after = x[complete:count].copy()
        x[complete:] = 0.0
        low = running_decay(load(x, 0) * weight, fade[0], fade[1])
        high = running_decay(load(x, WIDTH) * weight, fade[0], fade[1]) + load(fade, 0) * last(low)
        store(out, 0, low + load(fade, 0) * average)
        store(out, WIDTH, high + load(fade, WIDTH) * average)
        average = out[complete - 1]
        x[complete:count] = after
    for k in range(complete, count):
        value = x[k]
        if value == value:
            average = weight * value + fade[0] * average if started else value
            started = True
        out[k] = average if value == value else np.nan
    return average, started


@jit
def _ema_by_rows(x: Floats, out: Floats, start: int, stop: int, weight: float) -> None:
    """Write the averages of columns ``[start, stop)`` of a matrix that is stored by rows, with the bits of `_ema`.

    Four columns go side by side, by the same operations as a single series. A group of eight rows is gone through in
    two halves, because the memory serves eight rows read and eight written at a time less well than four and four.
    """
    rows, width = x.shape[0], stop - start
    whole = start + width - width % WIDTH
    fade = _fading(1.0 - weight)
    averages, started, middle = np.zeros(width), np.zeros(width, np.bool_), np.empty(width)
    buffer, result = np.empty(GROUP), np.empty(GROUP)
    for i in range(0, rows, GROUP):
        count = min(GROUP, rows - i)
        together = start
        if count == GROUP and i > 0:
            together = whole
            for j in range(start, whole, WIDTH):
                _first_half(x, out, i, j, weight, fade, averages, middle, j - start)
            for j in range(start, whole, WIDTH):
                place = j - start
                begun = started[place] & started[place + 1] & started[place + 2] & started[place + 3]
                if not (begun and _second_half(x, out, i, j, weight, fade, averages, middle, place)):
                    for column in range(j, j + WIDTH):
                        _column(x, out, i, count, column, weight, fade, averages, started, start, buffer, result)
        for column in range(together, stop):
            _column(x, out, i, count, column, weight, fade, averages, started, start, buffer, result)


@inlined
def _first_half(
    x: Floats,
    out: Floats,
    i: int,
    j: int,
    weight: float,
    fade: Floats,
    averages: Floats,
    middle: Floats,
    place: int,
) -> None:
    """Write the first four rows of a group of four columns, and keep what the other four need of them."""
    x0, x1, x2, x3 = load(x[i], j), load(x[i + 1], j), load(x[i + 2], j), load(x[i + 3], j)
    low0, low1, low2, low3 = _decayed(x0 * weight, x1 * weight, x2 * weight, x3 * weight, fade)
    average = load(averages, place)
    store(out[i], j, low0 + average * fade[0])
    store(out[i + 1], j, low1 + average * fade[1])
    store(out[i + 2], j, low2 + average * fade[2])
    store(out[i + 3], j, low3 + average * fade[3])
    store(middle, place, low3)


@inlined
def _second_half(
    x: Floats,
    out: Floats,
    i: int,
    j: int,
    weight: float,
    fade: Floats,
    averages: Floats,
    middle: Floats,
    place: int,
) -> bool:
    """Write the last four rows of a group and its averages, unless a value of the group is missing; tell whether."""
    x4, x5, x6, x7 = load(x[i + 4], j), load(x[i + 5], j), load(x[i + 6], j), load(x[i + 7], j)
    high0, high1, high2, high3 = _decayed(x4 * weight, x5 * weight, x6 * weight, x7 * weight, fade)
    average, low3 = load(averages, place), load(middle, place)
    final = (high3 + low3 * fade[3]) + average * fade[7]
    total = first(running_back(final))
    if total != total:
        return False
    store(out[i + 4], j, (high0 + low3 * fade[0]) + average * fade[4])
    store(out[i + 5], j, (high1 + low3 * fade[1]) + average * fade[5])
    store(out[i + 6], j, (high2 + low3 * fade[2]) + average * fade[6])
    store(out[i + 7], j, final)
    store(averages, place, final)
    return True


@inlined
def _decayed(x0: Lanes, x1: Lanes, x2: Lanes, x3: Lanes, fade: Floats) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Do to four rows what `running_decay` does to four lanes."""
    x1, x2, x3 = x1 + x0 * fade[0], x2 + x1 * fade[0], x3 + x2 * fade[0]
    return x0, x1, x2 + x0 * fade[1], x3 + x1 * fade[1]


@inner
def _column(
    x: Floats,
    out: Floats,
    i: int,
    count: int,
    column: int,
    weight: float,
    fade: Floats,
    averages: Floats,
    started: Bools,
    origin: int,
    buffer: Floats,
    result: Floats,
) -> None:
    """Write a group of one column."""
    for k in range(count):
        buffer[k] = x[i + k, column]
    place = column - origin
    averages[place], started[place] = _group(buffer, count, result, averages[place], started[place], weight, fade)
    for k in range(count):
        out[i + k, column] = result[k]
