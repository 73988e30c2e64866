"""Exponential moving averages.

The recurrence is written out for eight rows at a time, so that one product and one sum per eight rows wait for the rows
before. Groups begin at multiples of eight. The rows of a group from its first missing value on are computed one by one.
"""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_bools, as_floats, result_array
from kernels.compile import jit
from kernels.forms import run
from kernels.lanes import WIDTH, last, load, running_decay, store

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
    array = as_floats(values)
    result = result_array(array, out)
    run(_ema, array, result, 2.0 / (span + 1.0), threads=threads, grain=max(array.shape[0], 1))
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


@jit
def _ema(x: Floats, out: Floats, start: int, stop: int, weight: float) -> None:
    """Write averages to ``out[start:stop]``, where `start` is the beginning of the series."""
    keep = 1.0 - weight
    fade = np.empty(GROUP)
    fade[0] = keep
    for k in range(1, GROUP):
        fade[k] = fade[k - 1] * keep
    fade_low, fade_high = load(fade, 0), load(fade, WIDTH)
    buffer, result = np.empty(GROUP), np.empty(GROUP)
    average, started = 0.0, False
    for i in range(start, stop, GROUP):
        if started and i + GROUP <= stop:
            low = running_decay(load(x, i) * weight, keep, fade[1])
            high = running_decay(load(x, i + WIDTH) * weight, keep, fade[1]) + fade_low * last(low)
            if last(high) == last(high):
                store(out, i, low + fade_low * average)
                store(out, i + WIDTH, high + fade_high * average)
                average = last(high) + fade[GROUP - 1] * average
                continue
        complete = 0
        buffer[:] = 0.0
        while started and complete < GROUP and i + complete < stop and x[i + complete] == x[i + complete]:
            buffer[complete] = x[i + complete]
            complete += 1
        if complete > 0:
            low = running_decay(load(buffer, 0) * weight, keep, fade[1])
            high = running_decay(load(buffer, WIDTH) * weight, keep, fade[1]) + fade_low * last(low)
            store(result, 0, low + fade_low * average)
            store(result, WIDTH, high + fade_high * average)
            out[i : i + complete] = result[:complete]
            average = result[complete - 1]
        for j in range(i + complete, min(i + GROUP, stop)):
            value = x[j]
            if value == value:
                average = weight * value + keep * average if started else value
                started = True
            out[j] = average if value == value else np.nan
