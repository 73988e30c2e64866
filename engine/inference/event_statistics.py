"""What the forward returns of an event are worth: the mean, the median and the share of gains, each with its doubt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.inference.block_bootstrap import (
    RESAMPLES,
    expanded_percentiles,
    optimal_block_length,
    percentile_interval,
    resampled_medians,
    resampled_sums,
)
from engine.inference.episodes import effective_observations, episodes
from engine.inference.random_entry import random_entry_null
from engine.inference.standard_errors import hansen_hodrick, richardson_smith, student_t_p_value
from engine.inference.wilson import wilson_interval

__all__ = ["FEWEST_OBSERVATIONS", "EventStatistics", "event_statistics"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Interval = tuple[float | None, float | None]

NOTHING: Interval = (None, None)

FEWEST_OBSERVATIONS = 5.0
"""Effective observations below which nothing is said of a mean or median but its value."""


@dataclass(frozen=True)
class EventStatistics:
    """Forward returns of an event. What the data do not allow to be said is None.

    Attributes
    ----------
    horizon
        Rows of a forward return.
    n, episodes
        Events with a complete forward return, and runs of consecutive rows among them.
    effective_n
        See `effective_observations`.
    mean, median, positive
        Of the forward returns; ``positive`` is the share above 0.
    mean_low, mean_high, median_low, median_high
        95% intervals by the stationary bootstrap over all rows with a return, widened by `expanded_percentiles`.
    positive_low, positive_high
        95% interval by Wilson on the effective number of observations.
    standard_error
        Of the mean: the larger of `hansen_hodrick`, which knows changing volatility, and `richardson_smith`, which does
        not collapse with few episodes.
    p_value
        Two-sided, that the mean is 0: Student's t with ``effective_n - 1`` degrees of freedom.
    null_p_value
        Two-sided, against random entry: see `engine.inference.random_entry`.
    block_length, resamples, seed
        Of the bootstrap; ``resamples`` and ``seed`` also of random entry. The mean block length is Politis and White's
        for the events' residuals, and at least ``horizon``.
    """

    horizon: int
    n: int
    episodes: int
    effective_n: float
    mean: float | None
    median: float | None
    positive: float | None
    mean_low: float | None
    mean_high: float | None
    median_low: float | None
    median_high: float | None
    positive_low: float | None
    positive_high: float | None
    standard_error: float | None
    p_value: float | None
    null_p_value: float | None
    block_length: float | None
    resamples: int
    seed: int


def event_statistics(
    returns: Floats, events: Flags, *, horizon: int, seed: int, resamples: int = RESAMPLES
) -> EventStatistics:
    """Describe the forward returns of an event.

    Parameters
    ----------
    returns
        Forward return over ``horizon`` rows that an event in each row owns, float64 (rows,), NaN where incomplete. It
        is the caller who says from which close to which.
    events
        Rows in which the event holds, bool (rows,).
    horizon
        In rows, at least 1: two returns whose rows are as far apart do not overlap.
    seed, resamples
        Part of the result; the same arguments give the same result.

    Returns
    -------
    The statistics. Intervals of mean and median, the standard error and the p-value against 0 are None below
    `FEWEST_OBSERVATIONS` effective observations, and where all returns are equal.

    Raises
    ------
    ValueError
        The arrays differ in length, or ``horizon`` is below 1.
    """
    if returns.shape != events.shape or horizon < 1:
        message = (
            f"returns {returns.shape} and events {events.shape} of one length, and a horizon of 1 or more: {horizon}"
        )
        raise ValueError(message)
    known = ~np.isnan(returns)
    counted = events & known
    observed = returns[counted]
    effective = effective_observations(counted, horizon)
    share = float((observed > 0.0).mean()) if len(observed) else None
    wilson = wilson_interval(share * effective, effective) if share is not None else None
    error = _standard_error(returns, counted, horizon, effective)
    mean_interval, median_interval, block_length = _intervals(
        returns[known], counted[known], horizon, effective, seed=seed, resamples=resamples
    )
    null = random_entry_null(returns, events, seed=seed, horizon=horizon, resamples=resamples)
    return EventStatistics(
        horizon=horizon,
        n=len(observed),
        episodes=episodes(counted).count,
        effective_n=effective,
        mean=float(observed.mean()) if len(observed) else None,
        median=float(np.median(observed)) if len(observed) else None,
        positive=share,
        mean_low=mean_interval[0],
        mean_high=mean_interval[1],
        median_low=median_interval[0],
        median_high=median_interval[1],
        positive_low=wilson[0] if wilson else None,
        positive_high=wilson[1] if wilson else None,
        standard_error=error,
        p_value=student_t_p_value(float(observed.mean()) / error, effective - 1.0) if error else None,
        null_p_value=null.p_value if null else None,
        block_length=block_length,
        resamples=resamples,
        seed=seed,
    )


def _standard_error(returns: Floats, counted: Flags, horizon: int, effective: float) -> float | None:
    if effective < FEWEST_OBSERVATIONS:
        return None
    imposed = richardson_smith(returns, counted, horizon)
    estimated = hansen_hodrick(returns, counted, horizon)
    return imposed if imposed is None or estimated is None else max(imposed, estimated)


def _intervals(
    returns: Floats, events: Flags, horizon: int, effective: float, *, seed: int, resamples: int
) -> tuple[Interval, Interval, float | None]:
    """Intervals of the mean and of the median, and the block length that they were made with."""
    if effective < FEWEST_OBSERVATIONS or np.ptp(returns[events]) == 0.0:
        return NOTHING, NOTHING, None
    residuals = np.where(events, returns - returns[events].mean(), 0.0)
    length = max(float(horizon), optimal_block_length(residuals))
    shares = expanded_percentiles(effective)
    columns = np.column_stack([np.where(events, returns, 0.0), events])
    sums = resampled_sums(columns, block_length=length, resamples=resamples, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums[:, 0] / sums[:, 1]
    medians = resampled_medians(returns, events, block_length=length, resamples=resamples, seed=seed)
    return percentile_interval(means, shares) or NOTHING, percentile_interval(medians, shares) or NOTHING, length
