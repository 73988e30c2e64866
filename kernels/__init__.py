"""Numerical kernels: arrays in, arrays out, causal to the last bit. They know no finance, no frames and no files."""

from kernels.exponential import ema
from kernels.extremes import rolling_drawdown, rolling_max, rolling_min
from kernels.latches import hysteresis
from kernels.moments import rolling_mean, rolling_std, rolling_sum, rolling_var, rolling_zscore
from kernels.returns import change, rate_of_change
from kernels.runs import consecutive_true

__all__ = [
    "change",
    "consecutive_true",
    "ema",
    "hysteresis",
    "rate_of_change",
    "rolling_drawdown",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_std",
    "rolling_sum",
    "rolling_var",
    "rolling_zscore",
]
