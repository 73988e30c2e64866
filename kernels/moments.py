"""Rolling sum, mean, variance, standard deviation and z-score.

Method. Time is cut into blocks of one window's length. A window that ends in a block is a tail of the values before
the block and a head of the block, so its sums are one running sum backward plus one forward (van Herk and Gil-Werman,
for sums), four blocks side by side. Nothing that left a window was ever in its sums, so an outlier leaves no trace, and
a window costs the same whatever its length.

Accuracy. Sums are of deviations from a pivot, the first value of the block. Every window that ends in the block
contains it. A window of w values whose pivot lies far from the rest has a variance of at least 1/w of the sum of
squared deviations, so cancellation is bounded for any data; where it passes `CONDITION`, the window is computed again
in two passes. Constant windows give exactly zero.

Causality. The pivot and the order of every addition depend on the window and on values up to the one computed, never on
later values, on the length of the history, or on the number of threads.
"""

import numpy.typing as npt

from kernels.arrays import Floats
from kernels.forms import roll
from kernels.moment_blocks import DEVIATION, MEAN, SUM, VARIANCE, ZSCORE, first_moment, second_moment

__all__ = ["rolling_mean", "rolling_std", "rolling_sum", "rolling_var", "rolling_zscore"]


def rolling_sum(
    values: npt.ArrayLike, window: int, *, min_periods: int | None = None, out: Floats | None = None, threads: int = 1
) -> Floats:
    """Sum of the last `window` values. See `rolling_mean` for the arguments."""
    return roll(first_moment, values, window, min_periods, out, threads, SUM)


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
    return roll(first_moment, values, window, min_periods, out, threads, MEAN)


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
    return roll(second_moment, values, window, min_periods, out, threads, VARIANCE, ddof)


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

    The arguments are those of `rolling_mean`; the divisor is n - `ddof`, a whole number, and the result NaN where that
    is not positive. The relative error is below 1e-12, also on a high mean and after an outlier has left the window, as
    long as squares of the values do not overflow.
    """
    return roll(second_moment, values, window, min_periods, out, threads, DEVIATION, ddof)


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
    return roll(second_moment, values, window, min_periods, out, threads, ZSCORE, ddof)
