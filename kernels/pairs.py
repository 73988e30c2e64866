"""Rolling covariance, correlation and beta of two series.

The method, its accuracy and its causality are those of `kernels.moments`, with the sums of both series and of their
products running side by side.
"""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, check_ddof, check_window
from kernels.forms import is_plain
from kernels.pair_blocks import BETA, CORRELATION, COVARIANCE, co_moment
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["rolling_beta", "rolling_corr", "rolling_cov"]


def rolling_cov(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    window: int,
    *,
    ddof: int = 1,
    min_periods: int | None = None,
    threads: int = 1,
) -> Floats:
    """Covariance of the last `window` pairs of values.

    Parameters
    ----------
    x, y
        Two series of one length, or two matrices of one shape with time down the rows, whose columns belong together.
    window
        Number of rows, the current one included.
    ddof
        The divisor is n - `ddof`; the result is NaN where that is not positive.
    min_periods
        Smallest number of valid pairs (neither is NaN) in a window that has a result; the window's length unless given.
    threads
        Most threads to use. The result does not depend on it.

    Returns
    -------
    Floats
        An array of the same shape; NaN where a window has fewer than `min_periods` valid pairs or holds an infinite
        value.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, the shapes differ, or the values are not numbers.
    """
    return _rolling(x, y, window, ddof, min_periods, threads, COVARIANCE)


def rolling_corr(
    x: npt.ArrayLike, y: npt.ArrayLike, window: int, *, min_periods: int | None = None, threads: int = 1
) -> Floats:
    """Pearson correlation of the last `window` pairs, between -1 and 1; NaN where either deviation is zero.

    The arguments are those of `rolling_cov`.
    """
    return _rolling(x, y, window, 1, min_periods, threads, CORRELATION)


def rolling_beta(
    values: npt.ArrayLike, benchmark: npt.ArrayLike, window: int, *, min_periods: int | None = None, threads: int = 1
) -> Floats:
    """Slope of the regression of `values` on `benchmark` over the last `window` rows.

    NaN where the benchmark is constant. The arguments are those of `rolling_cov`.
    """
    return _rolling(values, benchmark, window, 1, min_periods, threads, BETA)


def _rolling(
    x: npt.ArrayLike, y: npt.ArrayLike, window: int, ddof: int, min_periods: int | None, threads: int, kind: int
) -> Floats:
    ddof = check_ddof(ddof)
    if is_plain(x, threads) and is_plain(y, threads) and x.size == y.size:
        window, least = check_window(window, min_periods)
        result = np.empty(x.size)
        co_moment(x, y, result, 0, x.size, window, least, kind, ddof)
        return result
    one, other = as_floats(x, "the first values"), as_floats(y, "the second values")
    if one.shape != other.shape:
        message = f"the two must have one shape, but have {one.shape} and {other.shape}."
        raise ValueError(message)
    window, least = check_window(window, min_periods)
    result = np.empty_like(one)
    rows = one.shape[0]
    if one.ndim == 1:

        def piece(start: int, stop: int) -> None:
            co_moment(one, other, result, start, stop, window, least, kind, ddof)

        in_parallel(piece, rows, -(-SMALLEST_SHARE // window) * window, threads)
    elif rows:

        def columns(begin: int, end: int) -> None:
            for column in range(begin, end):
                left, right = np.ascontiguousarray(one[:, column]), np.ascontiguousarray(other[:, column])
                target = np.empty(rows)
                co_moment(left, right, target, 0, rows, window, least, kind, ddof)
                result[:, column] = target

        in_parallel(columns, one.shape[1], -(-SMALLEST_SHARE // rows), threads)
    return result
