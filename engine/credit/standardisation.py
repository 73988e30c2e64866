"""Standardised levels and changes: z-scores and percentile ranks over five years, or three while five are not there.

Source: credit spreads monitor, standardisation, edge cases. A window is there once as many sessions have passed since
the series' first value. One session in twenty may be missing from it: a day without a value leaves a gap of one day in
the score, not one of five years.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from kernels import rolling_mean, rolling_quantile, rolling_rank, rolling_std, rolling_sum, rolling_zscore

__all__ = ["SESSIONS_A_YEAR", "is_history_short", "percentile_rank", "score", "winsorised"]

SESSIONS_A_YEAR = 252
COVERAGE = 0.95

Floats = NDArray[np.float64]


def score(
    values: Floats,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str = "today",
) -> Floats:
    """Z-score of each value in its own past window; sample standard deviation.

    Where the window's deviation is at most ``smallest_deviation`` a z-score would be noise. There the score is that of
    the percentile: the one a normal distribution has at the value's rank, so that every threshold on z becomes one on
    percentiles.

    Parameters
    ----------
    values
        One series, NaN where unknown.
    lookback_years, short_lookback_years
        Length of the window, and of the one that takes its place while the first is not there.
    smallest_deviation
        In the unit of the values.
    window_end
        ``"today"``: the window ends with the value itself. ``"yesterday"``: it ends with the value before.

    Returns
    -------
    float64 of the same length; NaN where the value or both windows are missing.
    """
    long = _score_over(values, SESSIONS_A_YEAR * lookback_years, smallest_deviation, window_end)
    short = _score_over(values, SESSIONS_A_YEAR * short_lookback_years, smallest_deviation, window_end)
    return np.where(np.isnan(long), short, long)


def percentile_rank(values: Floats, lookback_years: int, short_lookback_years: int) -> Floats:
    """Rank of each value among the last ``lookback_years``, or all there are if these are ``short_lookback_years``.

    Above 0, at most 1; equal values share the mean of their ranks.
    """
    short = SESSIONS_A_YEAR * short_lookback_years
    rank = rolling_rank(values, SESSIONS_A_YEAR * lookback_years, min_periods=_least(short))
    rank[: _first_full_window(values, short)] = np.nan
    return rank


def is_history_short(values: Floats, lookback_years: int) -> NDArray[np.bool_]:
    """Tell where the long window is not there: fewer sessions than it has, or too many of them without a value."""
    window = SESSIONS_A_YEAR * lookback_years
    known = _known(values, window)
    known[: _first_full_window(values, window)] = 0.0
    return known < _least(window)


def winsorised(values: Floats, lookback_years: int, share: float) -> Floats:
    """Each value pulled in to the percentiles ``share`` and ``1 - share`` of the window that ends with it.

    A value is clipped by what was known in its own row and stays so clipped. While the window is not full, the values
    known so far are taken: otherwise a score of clipped values would need two windows of history.
    """
    window = SESSIONS_A_YEAR * lookback_years
    low, high = rolling_quantile(values, window, (share, 1.0 - share), min_periods=1)
    return np.clip(values, low, high)


def _score_over(values: Floats, window: int, smallest_deviation: float, window_end: str) -> Floats:
    least = _least(window)
    deviation = rolling_std(values, window, min_periods=least)
    if window_end == "today":
        scores = rolling_zscore(values, window, min_periods=least)
    else:
        mean, deviation = _delayed(rolling_mean(values, window, min_periods=least)), _delayed(deviation)
        scores = (values - mean) / np.where(deviation > 0.0, deviation, np.nan)
    flat = (deviation <= smallest_deviation) & ~np.isnan(values)
    if flat.any():
        rank = rolling_rank(values, window, min_periods=least)
        share = rank[flat] - 0.5 / _known(values, window)[flat]
        scores[flat] = [NormalDist().inv_cdf(place) for place in share]
    scores[: _first_full_window(values, window) + (window_end == "yesterday")] = np.nan
    return scores


def _delayed(values: Floats) -> Floats:
    """Each value in the row after its own."""
    return np.concatenate(([np.nan], values[:-1]))


def _least(window: int) -> int:
    """Return how many values a window must hold."""
    return math.ceil(COVERAGE * window)


def _known(values: Floats, window: int) -> Floats:
    """Count the values of each window."""
    return rolling_sum((~np.isnan(values)).astype(np.float64), window, min_periods=1)


def _first_full_window(values: Floats, window: int) -> int:
    """Row from which on as many sessions as a window has lie behind the first value."""
    known = np.flatnonzero(~np.isnan(values))
    return int(known[0]) + window - 1 if known.size else len(values)
