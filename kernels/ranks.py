"""Rolling percentile rank of the last value, and rolling quantiles.

Each block of one window's length is sorted once and merged with the block before, so that every value of the two has
a place in one common order. The window is the set of places it holds, kept as bits: one is taken out and one put in
each row. The rank of a value is the number of bits below its place. A quantile is a place that moves to its neighbour
when the window does, most often not at all. Places decide only which values are compared, so values after the current
row never reach a result.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, check_window
from kernels.rank_blocks import order_statistics
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["rolling_quantile", "rolling_rank", "rolling_rank_and_quantiles"]


def rolling_rank(values: npt.ArrayLike, window: int, *, min_periods: int | None = None, threads: int = 1) -> Floats:
    """Percentile rank of the last value among the last `window` values, itself included: above 0, at most 1.

    The rank of equal values is the mean of their ranks, and is divided by the number of valid values. This is pandas'
    ``rolling(window).rank(pct=True)``.

    Parameters
    ----------
    values
        One series, or a matrix with time down the rows and a series in each column.
    window
        Number of rows, the current one included.
    min_periods
        Smallest number of valid (not NaN) values in a window that has a result; the window's length unless given.
    threads
        Most threads to use. The result does not depend on it.

    Returns
    -------
    Floats
        An array of the same shape; NaN where a window has fewer than `min_periods` valid values or the last one is
        missing.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the values are not numbers.
    """
    ranks: Floats = _results(values, window, (), min_periods, threads, with_rank=True)[0]
    return ranks


def rolling_quantile(
    values: npt.ArrayLike,
    window: int,
    quantiles: float | Sequence[float],
    *,
    min_periods: int | None = None,
    threads: int = 1,
) -> Floats:
    """Quantiles of the last `window` values, interpolated linearly between neighbours.

    Parameters
    ----------
    values, window, min_periods, threads
        As in `rolling_rank`.
    quantiles
        One number between 0 and 1, or several.

    Returns
    -------
    Floats
        An array of the same shape for one quantile; for several, one such array each, stacked in front.
    """
    several = np.ndim(quantiles) > 0
    levels = tuple(np.atleast_1d(np.asarray(quantiles, dtype=np.float64)).tolist())
    results = _results(values, window, levels, min_periods, threads, with_rank=False)
    return results if several else results[0]


def rolling_rank_and_quantiles(
    values: npt.ArrayLike,
    window: int,
    quantiles: Sequence[float],
    *,
    min_periods: int | None = None,
    threads: int = 1,
) -> tuple[Floats, Floats]:
    """Return what `rolling_rank` and `rolling_quantile` return, from one pass over the values."""
    levels = tuple(float(level) for level in quantiles)
    results = _results(values, window, levels, min_periods, threads, with_rank=True)
    return results[-1], results[:-1]


def _results(
    values: npt.ArrayLike,
    window: int,
    quantiles: tuple[float, ...],
    min_periods: int | None,
    threads: int,
    *,
    with_rank: bool,
) -> Floats:
    """Return the quantiles and then the rank, if it is asked for, stacked in front of the shape of the values."""
    array = as_floats(values)
    window, least = check_window(window, min_periods)
    for level in quantiles:
        if not 0.0 <= level <= 1.0:
            message = f"a quantile must be between 0 and 1, but one is {level}."
            raise ValueError(message)
    levels = np.array(quantiles, dtype=np.float64)
    results = np.empty((levels.size + with_rank, *array.shape))
    rows = array.shape[0]
    if array.ndim == 1:

        def piece(start: int, stop: int) -> None:
            _one_series(array, results, start, stop, window, least, levels)

        in_parallel(piece, rows, -(-SMALLEST_SHARE // window) * window, threads)
    elif rows:

        def columns(begin: int, end: int) -> None:
            for column in range(begin, end):
                target = np.empty((len(results), rows))
                _one_series(np.ascontiguousarray(array[:, column]), target, 0, rows, window, least, levels)
                results[:, :, column] = target

        in_parallel(columns, array.shape[1], -(-SMALLEST_SHARE // rows), threads)
    return results


def _one_series(x: Floats, results: Floats, start: int, stop: int, window: int, least: int, levels: Floats) -> None:
    """Write ``results[:, start:stop]``; `start` is a multiple of the window.

    Each block is sorted by numpy, whose vectorised sort is several times as fast as a compiled loop.
    """
    origin = max(start - window, 0)
    whole = (stop - origin) // window * window
    order = np.empty(stop - origin, np.int64)
    order[:whole] = x[origin : origin + whole].reshape(-1, window).argsort(axis=1).ravel()
    order[whole:] = x[origin + whole : stop].argsort()
    order_statistics(x, order, origin, results, start, stop, window, least, levels)
