"""What each kernel computes, said as plainly as possible: slow loops in Python, with sums that are rounded once.

The tests hold every kernel to its function here. Nothing else uses them.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Floats, Integers

__all__ = [
    "change",
    "compound",
    "consecutive_true",
    "drawdown",
    "ema",
    "ema_sampled",
    "hysteresis",
    "lookahead_compounded_return",
    "rate_of_change",
    "regimes",
    "rolling_beta",
    "rolling_corr",
    "rolling_cov",
    "rolling_drawdown",
    "rolling_max",
    "rolling_mean",
    "rolling_mean_many",
    "rolling_min",
    "rolling_quantile",
    "rolling_rank",
    "rolling_rank_and_quantiles",
    "rolling_std",
    "rolling_sum",
    "rolling_var",
    "rolling_winsorized_zscore",
    "rolling_zscore",
    "run_table",
    "underwater_length",
]


def _over_windows(
    statistic: Callable[..., float], window: int, min_periods: int | None, *series: Floats, **options: Any
) -> Floats:
    """Apply `statistic` to the valid rows of each window, and to the whole last row."""
    least = window if min_periods is None else min_periods
    out = np.full(len(series[0]), np.nan)
    for i in range(len(out)):
        rows = np.column_stack([values[max(i - window + 1, 0) : i + 1] for values in series])
        valid = rows[~np.isnan(rows).any(axis=1)]
        if len(valid) >= least:
            out[i] = statistic(*valid.T, last=rows[-1, 0], **options)
    return out


def _mean(values: Floats) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Floats, ddof: int) -> float:
    if len(values) <= ddof:
        return math.nan
    about_last = values - values[-1]  # the mean of what is left is small, so its rounding does not count
    return math.fsum((about_last - _mean(about_last)) ** 2) / (len(values) - ddof)


def _covariance(x: Floats, y: Floats, ddof: int) -> float:
    if len(x) <= ddof:
        return math.nan
    return math.fsum((x - _mean(x)) * (y - _mean(y))) / (len(x) - ddof)


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def rolling_sum(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Add the values of each window."""
    return _over_windows(lambda x, last: math.fsum(x), window, min_periods, values)  # noqa: ARG005


def rolling_mean(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Average the values of each window."""
    return _over_windows(lambda x, last: _mean(x), window, min_periods, values)  # noqa: ARG005


def rolling_var(values: Floats, window: int, *, ddof: int = 1, min_periods: int | None = None) -> Floats:
    """Average the squared deviations of each window."""
    return _over_windows(lambda x, last: _variance(x, ddof), window, min_periods, values)  # noqa: ARG005


def rolling_std(values: Floats, window: int, *, ddof: int = 1, min_periods: int | None = None) -> Floats:
    """Take the square root of each window's variance."""
    return np.sqrt(rolling_var(values, window, ddof=ddof, min_periods=min_periods))


def rolling_zscore(values: Floats, window: int, *, ddof: int = 1, min_periods: int | None = None) -> Floats:
    """Divide the last value's deviation from the mean by the standard deviation."""

    def score(x: Floats, last: float) -> float:
        return _quotient(_mean(last - x), math.sqrt(_variance(x, ddof)))

    return _over_windows(score, window, min_periods, values)


def rolling_max(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Take the largest value of each window."""
    return _over_windows(lambda x, last: max(x), window, min_periods, values)  # noqa: ARG005


def rolling_min(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Take the smallest value of each window."""
    return _over_windows(lambda x, last: min(x), window, min_periods, values)  # noqa: ARG005


def rolling_drawdown(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Divide the last value by the largest of its window."""
    return _over_windows(lambda x, last: last / max(x) - 1, window, min_periods, values)


def rolling_rank(values: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Count the values of each window below the last one, and half of its equals."""

    def rank(x: Floats, last: float) -> float:
        if math.isnan(last):
            return math.nan
        equals = np.sum(x == last)
        return float((np.sum(x < last) + (equals + 1) / 2) / len(x))

    return _over_windows(rank, window, min_periods, values)


def rolling_quantile(
    values: Floats, window: int, quantiles: float | Sequence[float], *, min_periods: int | None = None
) -> Floats:
    """Sort each window."""
    if isinstance(quantiles, Sequence):
        return np.array([rolling_quantile(values, window, level, min_periods=min_periods) for level in quantiles])

    def quantile(x: Floats, last: float) -> float:  # noqa: ARG001
        ordered = np.sort(x)
        position = quantiles * (len(x) - 1)
        low = int(position)
        high = min(low + 1, len(x) - 1)
        return float(ordered[low] + (position - low) * (ordered[high] - ordered[low]))

    return _over_windows(quantile, window, min_periods, values)


def rolling_rank_and_quantiles(
    values: Floats, window: int, quantiles: Sequence[float], *, min_periods: int | None = None
) -> tuple[Floats, Floats]:
    """Do one after the other."""
    return (
        rolling_rank(values, window, min_periods=min_periods),
        rolling_quantile(values, window, quantiles, min_periods=min_periods),
    )


def rolling_winsorized_zscore(
    values: Floats, window: int, *, lower: float = 0.01, upper: float = 0.99, min_periods: int | None = None
) -> Floats:
    """Clip each value at quantiles of its window, then score the clipped values, by their rank where they are equal."""
    low, high = rolling_quantile(values, window, (lower, upper), min_periods=min_periods)
    clipped = np.clip(values, low, high)

    def score(x: Floats, last: float) -> float:
        if math.isnan(last):
            return math.nan
        deviation = math.sqrt(_variance(x, 1))
        if deviation <= 1e-12:
            share = (np.sum(x < last) + np.sum(x == last) / 2) / len(x)
            return NormalDist().inv_cdf(share)
        return _mean(last - x) / deviation

    return _over_windows(score, window, min_periods, clipped)


def rolling_cov(x: Floats, y: Floats, window: int, *, ddof: int = 1, min_periods: int | None = None) -> Floats:
    """Average the products of deviations."""
    return _over_windows(lambda x, y, last: _covariance(x, y, ddof), window, min_periods, x, y)  # noqa: ARG005


def rolling_corr(x: Floats, y: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Divide the covariance by both deviations."""

    def correlation(x: Floats, y: Floats, last: float) -> float:  # noqa: ARG001
        return _quotient(_covariance(x, y, 1), math.sqrt(_variance(x, 1)) * math.sqrt(_variance(y, 1)))

    return _over_windows(correlation, window, min_periods, x, y)


def rolling_beta(values: Floats, benchmark: Floats, window: int, *, min_periods: int | None = None) -> Floats:
    """Divide the covariance by the benchmark's variance."""

    def beta(x: Floats, y: Floats, last: float) -> float:  # noqa: ARG001
        return _quotient(_covariance(x, y, 1), _variance(y, 1))

    return _over_windows(beta, window, min_periods, values, benchmark)


def rolling_mean_many(values: Floats, windows: Sequence[int]) -> Floats:
    """Average over one window after the other."""
    return np.array([rolling_mean(values, window) for window in windows])


def ema(values: Floats, span: float) -> Floats:
    """Follow the recurrence over the values that are present."""
    weight, average = 2 / (span + 1), math.nan
    out = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if not math.isnan(value):
            average = value if math.isnan(average) else weight * value + (1 - weight) * average
            out[i] = average
    return out


def ema_sampled(values: Floats, is_sample: Bools, span: float) -> Floats:
    """Average the samples, and carry the last average to the rows between."""
    averages = ema(values[is_sample], span)
    out, seen = np.full(len(values), np.nan), 0
    for i, sampled in enumerate(is_sample):
        seen += int(sampled)
        if seen:
            out[i] = averages[seen - 1]
    return out


def change(values: Floats, periods: int = 1) -> Floats:
    """Subtract the earlier value."""
    return np.array([values[i] - values[i - periods] if i >= periods else math.nan for i in range(len(values))])


def rate_of_change(values: Floats, periods: int = 1) -> Floats:
    """Divide by the earlier value."""
    return np.array([values[i] / values[i - periods] - 1 if i >= periods else math.nan for i in range(len(values))])


def _wealth(returns: Floats) -> list[float]:
    """Return wealth after each row, unchanged where the return is missing, with the 1 of the beginning in front."""
    wealth = [1.0]
    for value in returns:
        wealth.append(wealth[-1] * (1.0 if math.isnan(value) else 1.0 + value))
    return wealth


def compound(returns: Floats) -> Floats:
    """Multiply the growth of all rows so far."""
    return np.where(np.isnan(returns), np.nan, _wealth(returns)[1:])


def drawdown(returns: Floats) -> Floats:
    """Compare wealth with its highest so far."""
    wealth = _wealth(returns)
    falls = [wealth[i] / max(wealth[: i + 1]) - 1 for i in range(1, len(wealth))]
    return np.where(np.isnan(returns), np.nan, falls)


def underwater_length(returns: Floats) -> Floats:
    """Count the valid rows since the latest one that reached the highest wealth so far."""
    wealth = _wealth(returns)
    out = np.full(len(returns), np.nan)
    length = 0
    for i, value in enumerate(returns):
        if not math.isnan(value):
            length = 0 if wealth[i + 1] >= max(wealth[: i + 1]) else length + 1
            out[i] = length
    return out


def lookahead_compounded_return(returns: Floats, horizon: int) -> Floats:
    """Multiply the growth of the next rows."""
    out = np.full(len(returns), np.nan)
    for i in range(len(returns) - horizon):
        out[i] = math.prod(1 + returns[i + 1 : i + horizon + 1]) - 1
    return out


def consecutive_true(flags: Bools) -> Integers:
    """Look back from each row to the last false one."""
    return np.array([next((k for k in range(i + 1) if not flags[i - k]), i + 1) for i in range(len(flags))], np.int64)


def regimes(states: npt.NDArray[Any]) -> tuple[Integers, Integers, Integers]:
    """Look back from each row to where its run began."""
    n = len(states)
    starts = [next(k for k in range(i, -1, -1) if k == 0 or states[k - 1] != states[i]) for i in range(n)]
    identifier = [sorted(set(starts)).index(start) for start in starts]
    length = [i - start + 1 for i, start in enumerate(starts)]
    return np.array(identifier, np.int64), np.array(starts, np.int64), np.array(length, np.int64)


def run_table(states: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Integers, Integers]:
    """Cut the history where the state changes."""
    starts = np.array([i for i in range(len(states)) if i == 0 or states[i] != states[i - 1]], np.int64)
    ends = [*starts[1:], len(states)] if len(starts) else []
    return states[starts], starts, np.array([end - start for start, end in zip(starts, ends, strict=True)], np.int64)


def hysteresis(
    enter: Bools, leave: Bools, *, initially: bool = False, min_dwell: int = 1, min_absence: int = 1
) -> Bools:
    """Walk through the rows with the state and the row of its last change."""
    on, changed = initially, -max(min_dwell, min_absence)
    states = []
    for i in range(len(enter)):
        rested = i - changed >= (min_dwell if on else min_absence)
        if rested and (leave[i] if on else enter[i]):
            on, changed = not on, i
        states.append(on)
    return np.array(states, dtype=np.bool_)
