"""Numerical kernels: arrays in, arrays out, causal to the last bit. They know no finance, no frames and no files."""

from kernels.exponential import ema, ema_sampled
from kernels.extremes import rolling_drawdown, rolling_max, rolling_min
from kernels.latches import hysteresis
from kernels.many_windows import many_windows, rolling_mean_many
from kernels.moments import rolling_mean, rolling_std, rolling_sum, rolling_var, rolling_zscore
from kernels.pairs import rolling_beta, rolling_corr, rolling_cov
from kernels.ranks import rolling_quantile, rolling_rank, rolling_rank_and_quantiles
from kernels.returns import (
    change,
    compound,
    drawdown,
    lookahead_compounded_return,
    rate_of_change,
    underwater_length,
)
from kernels.runs import Regimes, RunTable, consecutive_true, regimes, run_table
from kernels.winsorized import rolling_winsorized_zscore

__all__ = [
    "Regimes",
    "RunTable",
    "change",
    "compound",
    "consecutive_true",
    "drawdown",
    "ema",
    "ema_sampled",
    "hysteresis",
    "lookahead_compounded_return",
    "many_windows",
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
