"""Changes and rates of change over a number of rows."""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, check_periods
from kernels.compile import jit
from kernels.forms import WHOLE, apply

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
    return apply(_difference, values, out, threads, 1, check_periods(periods))


def rate_of_change(values: npt.ArrayLike, periods: int = 1, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Relative change over `periods` rows, ``x_t / x_{t-periods} - 1``. The arguments are those of `change`."""
    return apply(_relative, values, out, threads, 1, check_periods(periods))


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


def compound(returns: npt.ArrayLike, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Wealth that grows from 1 by each return, ``w_t = w_{t-1} (1 + r_t)``.

    Parameters
    ----------
    returns
        Simple returns, one series, or a matrix with time down the rows and a series in each column.
    out
        Where to put the result: float64 of the same shape and order, not overlapping the returns.
    threads
        Most threads to use for a matrix.

    Returns
    -------
    Floats
        An array of the same shape. A missing return gives NaN in its place, and wealth goes on from where it was.

    Raises
    ------
    TypeError, ValueError
        If the returns are not numbers in one or two dimensions.
    """
    return apply(_compound, returns, out, threads, WHOLE, name="returns")


def drawdown(returns: npt.ArrayLike, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Wealth over its highest so far, minus 1; the start, where wealth is 1, counts as a high.

    The arguments are those of `compound`, and so is what is missing.
    """
    return apply(_drawdown, returns, out, threads, WHOLE, name="returns")


def underwater_length(returns: npt.ArrayLike, *, out: Floats | None = None, threads: int = 1) -> Floats:
    """Count the rows since wealth was last at its highest: zero at a high, 1 in the row after it.

    The arguments are those of `compound`, and so is what is missing; a row with a missing return is not counted.
    """
    return apply(_underwater, returns, out, threads, WHOLE, name="returns")


def lookahead_compounded_return(
    returns: npt.ArrayLike, horizon: int, *, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Compound the NEXT `horizon` returns, for studies only: this sees ahead.

    The result is ``(1 + r_{t+1}) ... (1 + r_{t+horizon}) - 1``.

    Parameters
    ----------
    returns
        Simple returns, one series, or a matrix with time down the rows and a series in each column.
    horizon
        Number of rows ahead, at least 1.
    out, threads
        As in `compound`.

    Returns
    -------
    Floats
        An array of the same shape; NaN in the last `horizon` rows and where one of the returns ahead is missing.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the returns are not numbers.
    """
    horizon = check_periods(horizon, "horizon")
    return apply(_ahead, returns, out, threads, horizon, horizon, name="returns")


@jit
def _compound(returns: Floats, out: Floats, start: int, stop: int) -> None:
    wealth = 1.0
    for i in range(start, stop):
        grown = wealth * (1.0 + returns[i])
        if grown == grown:
            wealth = grown
        out[i] = grown


@jit
def _drawdown(returns: Floats, out: Floats, start: int, stop: int) -> None:
    wealth = highest = 1.0
    for i in range(start, stop):
        grown = wealth * (1.0 + returns[i])
        if grown == grown:
            wealth = grown
            highest = max(highest, wealth)
        out[i] = grown / highest - 1.0


@jit
def _underwater(returns: Floats, out: Floats, start: int, stop: int) -> None:
    wealth = highest = 1.0
    length = 0.0
    for i in range(start, stop):
        grown = wealth * (1.0 + returns[i])
        if grown == grown:
            wealth = grown
            length = 0.0 if wealth >= highest else length + 1.0
            highest = max(highest, wealth)
            out[i] = length
        else:
            out[i] = np.nan


@jit
def _ahead(returns: Floats, out: Floats, start: int, stop: int, horizon: int) -> None:
    """Write products over the next `horizon` rows; block by block, from a head of one block and a tail of the other."""
    tails = np.empty(horizon)
    for begin in range(start, stop, horizon):
        product = 1.0
        for k in range(horizon - 1, 0, -1):  # rows begin + k .. begin + horizon - 1
            if begin + k < returns.size:
                product *= 1.0 + returns[begin + k]
            tails[k] = product
        tails[0] = product
        head = 1.0
        for k in range(min(horizon, stop - begin)):
            last = begin + k + horizon
            if last >= returns.size:
                out[begin + k] = np.nan
                continue
            head *= 1.0 + returns[last]
            tail = tails[k + 1] if k + 1 < horizon else 1.0
            out[begin + k] = tail * head - 1.0
