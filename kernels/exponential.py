"""Exponential moving averages."""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, result_array
from kernels.compile import jit
from kernels.forms import run

__all__ = ["ema"]


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


@jit
def _ema(x: Floats, out: Floats, start: int, stop: int, weight: float) -> None:
    keep = 1.0 - weight
    average = np.nan
    for i in range(start, stop):
        value = x[i]
        if average != average:
            average = value
        elif value == value:
            average = weight * value + keep * average
        out[i] = average if value == value else np.nan
