"""The stationary bootstrap of an event study: rows are drawn in blocks of random length, events and returns together.

Source: Politis and Romano, "The Stationary Bootstrap", Journal of the American Statistical Association 89(428), 1994.
Blocks begin anywhere with equal probability, their lengths are geometric, and the sample's end is followed by its
beginning. Resampling all rows, not the events alone, keeps how events cluster and how their returns overlap.

No resample is ever written down: sums over a block are differences of running sums, and medians come from counts of the
sorted returns.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inner, jit
from engine.inference.standard_errors import student_t_quantile

__all__ = [
    "RESAMPLES",
    "expanded_percentiles",
    "optimal_block_length",
    "percentile_interval",
    "resampled_medians",
    "resampled_sums",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Interval = tuple[float, float]

RESAMPLES = 1000
CONFIDENCE = 0.95
FEWEST_RESAMPLES = 0.9
"""Share of the resamples that must hold an event at all, for an interval to say anything."""


def optimal_block_length(values: Floats) -> float:
    """Mean block length that suits a series best, for the stationary bootstrap.

    Source: Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews
    23(1), 2004, with the correction of Patton, Politis and White, Econometric Reviews 28(4), 2009; equal to
    ``arch.bootstrap.optimal_block_length``, whose import takes longer than a study.

    Parameters
    ----------
    values
        float64 (rows,), no NaN.

    Returns
    -------
    At least 1; 1 where the series is too short or does not vary.
    """
    rows = len(values)
    nearby = max(5, int(math.log10(max(rows, 1))))
    furthest = math.ceil(math.sqrt(rows)) + nearby
    if rows <= furthest + 1 or values.min() == values.max():
        return 1.0
    residuals = values - values.mean()
    covariances, correlations = _covariances(residuals, furthest)
    inside = correlations < 2.0 * math.sqrt(math.log10(rows) / rows)
    quiet = (k for k in range(furthest - nearby + 1) if inside[k : k + nearby].all())
    first_quiet = next(quiet, None)
    bandwidth = furthest if first_quiet is None else min(2 * max(first_quiet, 1), furthest)
    lags = np.arange(1, bandwidth + 1)
    weights = np.minimum(1.0, 2.0 * (1.0 - lags / bandwidth))
    slope = 2.0 * float(weights @ (lags * covariances[1 : bandwidth + 1]))
    variance = covariances[0] + 2.0 * float(weights @ covariances[1 : bandwidth + 1])
    if variance == 0.0:
        return 1.0
    length = float(np.cbrt(slope**2 / variance**2 * rows))
    return max(1.0, min(length, math.ceil(min(3.0 * math.sqrt(rows), rows / 3.0))))


def _covariances(residuals: Floats, furthest: int) -> tuple[Floats, Floats]:
    """Autocovariances and absolute autocorrelations up to a lag; the latter scaled as arch does."""
    rows = len(residuals)
    products = np.array([residuals[k:] @ residuals[: rows - k] for k in range(furthest + 1)])
    squares = residuals**2
    later, earlier = squares[::-1].cumsum()[::-1], squares.cumsum()
    scale = np.sqrt(later[1 : furthest + 2] * earlier[rows - 2 - np.arange(furthest + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        correlations = np.abs(products) / scale
    return products / rows, correlations


def resampled_sums(values: Floats, *, block_length: float, resamples: int, seed: int) -> Floats:
    """Column sums of each resample, float64 (resamples, columns).

    Parameters
    ----------
    values
        float64 (rows, columns), no NaN.
    block_length
        Mean length of a block, at least 1.
    resamples, seed
        Calls with equal rows, block length, resamples and seed draw the same rows.
    """
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    sums = np.zeros((resamples, values.shape[1]))
    _add_blocks(np.random.default_rng(seed), running, _log_stay(block_length), sums)
    return sums


def resampled_medians(returns: Floats, events: Flags, *, block_length: float, resamples: int, seed: int) -> Floats:
    """Median return of the events of each resample, float64 (resamples,); NaN where it holds none.

    Draws the same rows as `resampled_sums`.
    """
    observed = returns[events]
    order = np.argsort(observed, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    before = np.concatenate([[0], np.cumsum(events)])  # events before each row
    medians = np.empty(resamples)
    _find_medians(
        np.random.default_rng(seed),
        before,
        ranks,
        np.ascontiguousarray(observed[order]),
        _log_stay(block_length),
        medians,
    )
    return medians


def expanded_percentiles(effective_n: float, confidence: float = CONFIDENCE) -> Interval:
    """Shares between which the resamples must lie for an interval that is as wide as Student's t makes it.

    Percentiles of a bootstrap are too narrow in small samples, by sqrt((n - 1) / n) and by the normal quantile in the
    place of Student's. The shares are Phi(-z) and Phi(z) with z = sqrt(n / (n - 1)) times Student's quantile of n - 1
    degrees of freedom, n being the effective number of observations.

    Source: Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015.
    """
    quantile = student_t_quantile(effective_n - 1.0, confidence)
    share = NormalDist().cdf(-quantile * math.sqrt(effective_n / (effective_n - 1.0)))
    return share, 1.0 - share


def percentile_interval(resampled: Floats, shares: Interval) -> Interval | None:
    """Interval between two shares of the resamples; None where too many of them hold nothing (NaN)."""
    known = resampled[~np.isnan(resampled)]
    if len(known) < FEWEST_RESAMPLES * len(resampled):
        return None
    low, high = np.quantile(known, shares)
    return float(low), float(high)


def _log_stay(block_length: float) -> float:
    """Logarithm of the probability that a block goes on; -inf for blocks of one row."""
    return math.log1p(-1.0 / block_length) if block_length > 1.0 else -math.inf


@inner
def _draw_block(generator: np.random.Generator, rows: int, log_stay: float, left: int) -> tuple[int, int]:
    """First row and length of the next block; the last one of a resample is cut."""
    start = min(int(generator.random() * rows), rows - 1)
    more = math.log(1.0 - generator.random()) / log_stay
    return start, left if more >= left - 1 else 1 + int(more)


@jit
def _add_blocks(generator: np.random.Generator, running: Floats, log_stay: float, sums: Floats) -> None:
    rows = len(running) - 1
    for resample in range(len(sums)):
        left = rows
        while left > 0:
            start, length = _draw_block(generator, rows, log_stay, left)
            left -= length
            end = start + length
            for column in range(running.shape[1]):
                if end <= rows:
                    sums[resample, column] += running[end, column] - running[start, column]
                else:
                    sums[resample, column] += (
                        running[rows, column] - running[start, column] + running[end - rows, column]
                    )


@jit
def _find_medians(
    generator: np.random.Generator,
    before: NDArray[np.int64],
    ranks: NDArray[np.int64],
    ordered: Floats,
    log_stay: float,
    medians: Floats,
) -> None:
    rows = len(before) - 1
    counts = np.zeros(len(ordered), np.int64)
    for resample in range(len(medians)):
        counts[:] = 0
        left = rows
        while left > 0:
            start, length = _draw_block(generator, rows, log_stay, left)
            left -= length
            end = start + length
            for event in range(before[start], before[min(end, rows)]):
                counts[ranks[event]] += 1
            for event in range(before[max(end - rows, 0)]):
                counts[ranks[event]] += 1
        medians[resample] = _median(counts, ordered)


@inner
def _median(counts: NDArray[np.int64], ordered: Floats) -> float:
    """Median of values that occur so many times each."""
    total = counts.sum()
    if total == 0:
        return math.nan
    lower, upper = (total - 1) // 2, total // 2
    seen = 0
    low = math.nan
    for k in range(len(counts)):
        seen += counts[k]
        if math.isnan(low) and seen > lower:
            low = ordered[k]
        if seen > upper:
            return float(0.5 * (low + ordered[k]))
    return math.nan
