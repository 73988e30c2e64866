"""What the returns of single rows are worth that a state owns: mean, volatility and growth, each with its doubt."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.inference.block_bootstrap import (
    RESAMPLES,
    expanded_percentiles,
    optimal_block_length,
    percentile_interval,
    resampled_sums,
)
from engine.inference.episodes import episodes
from engine.inference.event_statistics import FEWEST_OBSERVATIONS
from engine.inference.random_entry import random_entry_null
from engine.inference.standard_errors import newey_west, newey_west_lags, richardson_smith, student_t_p_value
from engine.metrics import SESSIONS_A_YEAR

__all__ = ["StateStatistics", "state_statistics"]

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]

NOTHING: Interval = (None, None)


@dataclass(frozen=True)
class StateStatistics:
    """Returns that a state owns. What the data do not allow to be said is None.

    Attributes
    ----------
    n, episodes
        Rows with a return that the state owns, and runs of consecutive ones.
    mean
        Mean return times ``rows_a_year``.
    volatility
        Sample standard deviation (ddof 1) times the root of ``rows_a_year``.
    sharpe
        Mean over volatility, both a year, risk-free 0.
    growth
        What 1 becomes that earns these returns and nothing in other rows: the product of 1 + return.
    mean_low, mean_high, volatility_low, volatility_high, sharpe_low, sharpe_high, growth_low, growth_high
        95% intervals by the stationary bootstrap over all rows with a return, widened by `expanded_percentiles`; all
        are of the same resamples. Of the growth it is that over a sample as long as this one, in which the state may
        hold for more rows or fewer.
    standard_error
        Of the mean, a year: the larger of `newey_west`, with `newey_west_lags` of all rows, and that of independent
        returns.
    p_value
        Two-sided, that the mean is 0: Student's t with ``n - 1`` degrees of freedom.
    null_p_value
        Two-sided, against a state of the same runs at random places: see `engine.inference.random_entry`.
    rows_a_year
        252 for sessions, 52 for weeks.
    block_length, resamples, seed
        As in `EventStatistics`.
    """

    n: int
    episodes: int
    mean: float | None
    volatility: float | None
    sharpe: float | None
    growth: float | None
    mean_low: float | None
    mean_high: float | None
    volatility_low: float | None
    volatility_high: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    growth_low: float | None
    growth_high: float | None
    standard_error: float | None
    p_value: float | None
    null_p_value: float | None
    rows_a_year: int
    block_length: float | None
    resamples: int
    seed: int


def state_statistics(
    returns: Floats,
    state: NDArray[np.bool_],
    *,
    seed: int,
    rows_a_year: int = SESSIONS_A_YEAR,
    resamples: int = RESAMPLES,
) -> StateStatistics:
    """Describe the returns that a state owns.

    Parameters
    ----------
    returns
        Simple return of one row that the state in that row owns, float64 (rows,), NaN where there is none. It is the
        caller who says from which close to which.
    state
        Rows in which the state holds, bool (rows,).
    seed, resamples
        Part of the result.
    rows_a_year
        For the annual figures.

    Returns
    -------
    The statistics. Intervals, standard error and p-value are None below `FEWEST_OBSERVATIONS` rows, and where all
    returns are equal; the interval of the growth also where a return loses everything.

    Raises
    ------
    ValueError
        The arrays differ in length.
    """
    if returns.shape != state.shape:
        message = f"returns {returns.shape} and state {state.shape} must be of one length"
        raise ValueError(message)
    known = ~np.isnan(returns)
    counted = state & known
    observed = returns[counted]
    n = len(observed)
    error = _standard_error(returns, counted)
    intervals, block_length = _intervals(
        returns[known], counted[known], rows_a_year=rows_a_year, seed=seed, resamples=resamples
    )
    null = random_entry_null(returns, state, seed=seed, resamples=resamples)
    mean = float(observed.mean()) * rows_a_year if n else None
    volatility = float(observed.std(ddof=1)) * math.sqrt(rows_a_year) if n > 1 else None
    return StateStatistics(
        n=n,
        episodes=episodes(counted).count,
        mean=mean,
        volatility=volatility,
        sharpe=mean / volatility if mean is not None and volatility else None,
        growth=float(np.prod(1.0 + observed)) if n else None,
        mean_low=intervals[0][0],
        mean_high=intervals[0][1],
        volatility_low=intervals[1][0],
        volatility_high=intervals[1][1],
        sharpe_low=intervals[2][0],
        sharpe_high=intervals[2][1],
        growth_low=intervals[3][0],
        growth_high=intervals[3][1],
        standard_error=error * rows_a_year if error else None,
        p_value=student_t_p_value(float(observed.mean()) / error, n - 1.0) if error else None,
        null_p_value=null.p_value if null else None,
        rows_a_year=rows_a_year,
        block_length=block_length,
        resamples=resamples,
        seed=seed,
    )


def _standard_error(returns: Floats, counted: NDArray[np.bool_]) -> float | None:
    if np.count_nonzero(counted) < FEWEST_OBSERVATIONS:
        return None
    independent = richardson_smith(returns, counted, 1)
    correlated = newey_west(returns, counted, newey_west_lags(len(returns)))
    return independent if independent is None or correlated is None else max(independent, correlated)


def _intervals(
    returns: Floats, state: NDArray[np.bool_], *, rows_a_year: int, seed: int, resamples: int
) -> tuple[tuple[Interval, ...], float | None]:
    """Intervals of mean, volatility, Sharpe ratio and growth, and the block length that they were made with."""
    n = int(np.count_nonzero(state))
    if n < FEWEST_OBSERVATIONS or np.ptp(returns[state]) == 0.0:
        return (NOTHING,) * 4, None
    centre = float(returns[state].mean())
    residuals = np.where(state, returns - centre, 0.0)
    length = optimal_block_length(residuals)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = np.where(state, np.log1p(returns), 0.0)
        columns = np.column_stack([residuals, residuals**2, state, logarithms])
        sums = resampled_sums(columns, block_length=length, resamples=resamples, seed=seed)
        count = np.where(sums[:, 2] > 1.0, sums[:, 2], np.nan)
        shift = sums[:, 0] / count
        variance = np.maximum(sums[:, 1] - count * shift**2, 0.0) / (count - 1.0)
        mean, volatility = (centre + shift) * rows_a_year, np.sqrt(variance * rows_a_year)
        sharpe = np.where(volatility > 0.0, mean / volatility, np.nan)
    shares = expanded_percentiles(float(n))
    resampled = (mean, volatility, sharpe, np.exp(sums[:, 3]))
    return tuple(percentile_interval(values, shares) or NOTHING for values in resampled), length
