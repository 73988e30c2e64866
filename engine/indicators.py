"""The kernels as Polars expressions, for any frame, eager or lazy, and by group with ``.over(...)``.

Each function has the name and the meaning of the kernel it calls; `kernels` says what is computed. A column may be
given by name or as an expression. Rows must be in the order of time: within a group the order of the frame counts.

Missing values are nulls on the way out, and nulls or NaN on the way in; a missing condition is false. A missing value
in a window makes the result null unless `min_periods` says otherwise.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import polars as pl

import kernels

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
    "regime_length",
    "regime_number",
    "regime_start",
    "rolling_beta",
    "rolling_corr",
    "rolling_cov",
    "rolling_drawdown",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_quantile",
    "rolling_rank",
    "rolling_std",
    "rolling_sum",
    "rolling_var",
    "rolling_winsorized_zscore",
    "rolling_zscore",
    "underwater_length",
]

Column: TypeAlias = str | pl.Expr


def _expression(
    kernel: Callable[..., Any], columns: Sequence[Column], dtype: type[pl.DataType], **parameters: Any
) -> pl.Expr:
    """Return the expression that hands whole columns to a kernel, under the name of the first."""
    inputs = [pl.col(column) if isinstance(column, str) else column for column in columns]
    return pl.map_batches(inputs, partial(_call, kernel, parameters), return_dtype=dtype)


def _call(kernel: Callable[..., Any], parameters: dict[str, Any], columns: Sequence[pl.Series]) -> pl.Series:
    result = kernel(*map(_array, columns), **parameters)
    return pl.Series(columns[0].name, result, nan_to_null=True)


def _array(column: pl.Series) -> np.ndarray[Any, Any]:
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy()
    if column.dtype.is_integer() and not column.has_nulls():
        return column.to_numpy()
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _windowed(kernel: Callable[..., Any], values: Column, window: int, least: int | None, **other: Any) -> pl.Expr:
    return _expression(kernel, [values], pl.Float64, window=window, min_periods=least, **other)


def rolling_sum(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Sum of the last `window` rows."""
    return _windowed(kernels.rolling_sum, values, window, min_periods)


def rolling_mean(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Mean of the last `window` rows."""
    return _windowed(kernels.rolling_mean, values, window, min_periods)


def rolling_var(values: Column, window: int, *, ddof: int = 1, min_periods: int | None = None) -> pl.Expr:
    """Variance of the last `window` rows."""
    return _windowed(kernels.rolling_var, values, window, min_periods, ddof=ddof)


def rolling_std(values: Column, window: int, *, ddof: int = 1, min_periods: int | None = None) -> pl.Expr:
    """Standard deviation of the last `window` rows."""
    return _windowed(kernels.rolling_std, values, window, min_periods, ddof=ddof)


def rolling_zscore(values: Column, window: int, *, ddof: int = 1, min_periods: int | None = None) -> pl.Expr:
    """Deviation of the last row from the window's mean, in standard deviations."""
    return _windowed(kernels.rolling_zscore, values, window, min_periods, ddof=ddof)


def rolling_winsorized_zscore(
    values: Column, window: int, *, lower: float = 0.01, upper: float = 0.99, min_periods: int | None = None
) -> pl.Expr:
    """Z-score of values clipped at percentiles of their own past window."""
    return _windowed(kernels.rolling_winsorized_zscore, values, window, min_periods, lower=lower, upper=upper)


def rolling_max(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Largest of the last `window` rows."""
    return _windowed(kernels.rolling_max, values, window, min_periods)


def rolling_min(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Smallest of the last `window` rows."""
    return _windowed(kernels.rolling_min, values, window, min_periods)


def rolling_drawdown(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Last row over the largest of the last `window` rows, minus 1."""
    return _windowed(kernels.rolling_drawdown, values, window, min_periods)


def rolling_rank(values: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Percentile rank of the last row among the last `window` rows."""
    return _windowed(kernels.rolling_rank, values, window, min_periods)


def rolling_quantile(values: Column, window: int, quantile: float, *, min_periods: int | None = None) -> pl.Expr:
    """Quantile of the last `window` rows, interpolated linearly."""
    return _windowed(kernels.rolling_quantile, values, window, min_periods, quantiles=quantile)


def rolling_cov(x: Column, y: Column, window: int, *, ddof: int = 1, min_periods: int | None = None) -> pl.Expr:
    """Covariance of the last `window` rows."""
    return _expression(kernels.rolling_cov, [x, y], pl.Float64, window=window, min_periods=min_periods, ddof=ddof)


def rolling_corr(x: Column, y: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Correlation of the last `window` rows."""
    return _expression(kernels.rolling_corr, [x, y], pl.Float64, window=window, min_periods=min_periods)


def rolling_beta(values: Column, benchmark: Column, window: int, *, min_periods: int | None = None) -> pl.Expr:
    """Slope of the regression on a benchmark over the last `window` rows."""
    return _expression(kernels.rolling_beta, [values, benchmark], pl.Float64, window=window, min_periods=min_periods)


def ema(values: Column, span: float) -> pl.Expr:
    """Exponential moving average of a given span."""
    return _expression(kernels.ema, [values], pl.Float64, span=span)


def ema_sampled(values: Column, is_sample: Column, span: float) -> pl.Expr:
    """Exponential moving average over the rows where `is_sample`, carried to the rows between."""
    return _expression(kernels.ema_sampled, [values, is_sample], pl.Float64, span=span)


def change(values: Column, periods: int = 1) -> pl.Expr:
    """Difference over a number of rows."""
    return _expression(kernels.change, [values], pl.Float64, periods=periods)


def rate_of_change(values: Column, periods: int = 1) -> pl.Expr:
    """Relative change over a number of rows."""
    return _expression(kernels.rate_of_change, [values], pl.Float64, periods=periods)


def compound(returns: Column) -> pl.Expr:
    """Wealth that grows from 1 by each return."""
    return _expression(kernels.compound, [returns], pl.Float64)


def drawdown(returns: Column) -> pl.Expr:
    """Wealth over its highest so far, minus 1."""
    return _expression(kernels.drawdown, [returns], pl.Float64)


def underwater_length(returns: Column) -> pl.Expr:
    """Count the rows since wealth was last at its highest."""
    return _expression(kernels.underwater_length, [returns], pl.Float64)


def lookahead_compounded_return(returns: Column, horizon: int) -> pl.Expr:
    """Compound the NEXT `horizon` returns, for studies only: this sees ahead."""
    return _expression(kernels.lookahead_compounded_return, [returns], pl.Float64, horizon=horizon)


def consecutive_true(flags: Column) -> pl.Expr:
    """Count of conditions that have been true in a row."""
    return _expression(kernels.consecutive_true, [flags], pl.Int64)


def hysteresis(
    enter: Column, leave: Column, *, initially: bool = False, min_dwell: int = 1, min_absence: int = 1
) -> pl.Expr:
    """Latched state: on from `enter` until `leave`."""
    parameters = {"initially": initially, "min_dwell": min_dwell, "min_absence": min_absence}
    return _expression(kernels.hysteresis, [enter, leave], pl.Boolean, **parameters)


def regime_number(states: Column) -> pl.Expr:
    """Number of the run of equal states a row belongs to, from zero."""
    return _expression(lambda states: kernels.regimes(states).identifier, [states], pl.Int64)


def regime_start(states: Column) -> pl.Expr:
    """Row in which the run of equal states began."""
    return _expression(lambda states: kernels.regimes(states).start, [states], pl.Int64)


def regime_length(states: Column) -> pl.Expr:
    """Rows the run of equal states has lasted so far."""
    return _expression(lambda states: kernels.regimes(states).length, [states], pl.Int64)
