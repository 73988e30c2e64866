"""Changes and rates of change over a number of rows."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, check_periods, result_array
from kernels.compile import jit
from kernels.forms import run

__all__ = ["change", "rate_of_change"]


def change(values: npt.ArrayLike, periods: int = 1, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Difference from the value `periods` rows before, ``x_t - x_{t-periods}``.

    Parameters
    ----------
    values
        One series, or a matrix with time down the rows and a series in each column.
    periods
        Number of rows back, at least 1.
    out
        Where to put the result: float64 of the same shape and order, not overlapping the values.
    threads
        Most threads to use. The result does not depend on it.

    Returns
    -------
    Floats
        An array of the same shape; NaN in the first `periods` rows and where either value is missing.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the values are not numbers.
    """
    return _over(_difference, values, periods, out, threads)


def rate_of_change(values: npt.ArrayLike, periods: int = 1, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Relative change over `periods` rows, ``x_t / x_{t-periods} - 1``. The arguments are those of `change`."""
    return _over(_relative, values, periods, out, threads)


def _over(kernel: Callable[..., None], values: npt.ArrayLike, periods: int, out: Floats | None, threads: int) -> Floats:
    array = as_floats(values)
    periods = check_periods(periods)
    result = result_array(array, out)
    run(kernel, array, result, periods, threads=threads, grain=1)
    return result


@jit
def _difference(x: Floats, out: Floats, start: int, stop: int, periods: int) -> None:
    first = min(max(start, periods), stop)
    out[start:first] = np.nan
    now, then, target = x[first:stop], x[first - periods : stop - periods], out[first:stop]
    for i in range(target.size):
        target[i] = now[i] - then[i]


@jit
def _relative(x: Floats, out: Floats, start: int, stop: int, periods: int) -> None:
    first = min(max(start, periods), stop)
    out[start:first] = np.nan
    now, then, target = x[first:stop], x[first - periods : stop - periods], out[first:stop]
    for i in range(target.size):
        target[i] = now[i] / then[i] - 1.0
