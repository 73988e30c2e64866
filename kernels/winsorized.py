"""Rolling z-score of winsorised values: extremes are pulled in to percentiles before they are measured."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from kernels.arrays import Floats, as_floats, check_window
from kernels.moments import rolling_std, rolling_zscore
from kernels.ranks import rolling_quantile, rolling_rank

__all__ = ["rolling_winsorized_zscore"]


def rolling_winsorized_zscore(
    values: npt.ArrayLike,
    window: int,
    *,
    lower: float = 0.01,
    upper: float = 0.99,
    smallest_std: float = 1e-12,
    min_periods: int | None = None,
    threads: int = 1,
) -> Floats:
    """Z-score of values clipped at percentiles of their own past window.

    Each value is clipped at the `lower` and `upper` quantiles of the window that ends with it; then the clipped
    series' mean and sample standard deviation over `window` rows give the score. A value is clipped by what was known
    in its own row, and stays so clipped in later windows. Two windows of history therefore stand behind a score.

    Where the clipped deviation is at most `smallest_std`, a score would be noise. There the percentile rank of the
    clipped value (the mean rank of equal values, halfway into its step) is turned into the score a normal
    distribution has at it: 0 for a window of equal values.

    Parameters
    ----------
    values
        One series, or a matrix with time down the rows and a series in each column.
    window
        Number of rows of either window, the current one included.
    lower, upper
        The quantiles, between 0 and 1, `lower` below `upper`.
    smallest_std
        The deviation, in the values' unit, at or below which the percentile takes over.
    min_periods
        Smallest number of valid values in a window that has a result; the window's length unless given.
    threads
        Most threads to use. The result does not depend on it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or the values are not numbers.
    """
    array = as_floats(values)
    window, least = check_window(window, min_periods)
    if not 0.0 <= lower < upper <= 1.0:
        message = f"lower and upper must be between 0 and 1, lower below upper, but are {lower} and {upper}."
        raise ValueError(message)
    low, high = rolling_quantile(array, window, (lower, upper), min_periods=least, threads=threads)
    clipped = np.minimum(np.maximum(array, low), high)
    score = rolling_zscore(clipped, window, min_periods=least, threads=threads)
    flat = rolling_std(clipped, window, min_periods=least, threads=threads) <= smallest_std
    flat &= ~np.isnan(clipped)
    if flat.any():
        count = np.full_like(array, window) if least == window else _valid(clipped, window)
        rank = rolling_rank(clipped, window, min_periods=least, threads=threads)
        score[flat] = [NormalDist().inv_cdf(share) for share in rank[flat] - 0.5 / count[flat]]
    return score


def _valid(values: Floats, window: int) -> Floats:
    """Count the valid values of each window."""
    total = np.cumsum(~np.isnan(values), axis=0, dtype=np.float64)
    total[window:] -= total[:-window].copy()
    return total
