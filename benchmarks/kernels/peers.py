"""What other libraries offer for each kernel, ready to be called.

``PEERS[library][kernel](inputs, parameters)`` returns a call without arguments; the inputs are in the library's own
form before the clock runs. A matrix has time down the
rows and is stored by rows, for every library as for ours.
"""

from collections.abc import Callable, Mapping
from typing import Any

import bottleneck
import numbagg
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import talib

Array = npt.NDArray[Any]
Inputs = tuple[Array, ...]
Parameters = Mapping[str, Any]
Call = Callable[[], Any]
Prepare = Callable[[Inputs, Parameters], Call]


def _bottleneck(compute: Callable[[Array, int], Array]) -> Prepare:
    return lambda inputs, parameters: lambda: compute(inputs[0], parameters["window"])


def _many(compute: Callable[[Array, int], Array]) -> Prepare:
    """One call a window, each result into its row of one array, which is allocated as ours is."""

    def prepare(inputs: Inputs, parameters: Parameters) -> Call:
        values, windows = inputs[0], parameters["windows"]

        def call() -> Array:
            result = np.empty((len(windows), values.size))
            for row, window in zip(result, windows, strict=True):
                row[:] = compute(values, window)
            return result

        return call

    return prepare


BOTTLENECK: dict[str, Prepare] = {
    "rolling_sum": _bottleneck(lambda x, w: bottleneck.move_sum(x, w, axis=0)),
    "rolling_mean": _bottleneck(lambda x, w: bottleneck.move_mean(x, w, axis=0)),
    "rolling_var": _bottleneck(lambda x, w: bottleneck.move_var(x, w, axis=0, ddof=1)),
    "rolling_std": _bottleneck(lambda x, w: bottleneck.move_std(x, w, axis=0, ddof=1)),
    "rolling_zscore": _bottleneck(
        lambda x, w: (x - bottleneck.move_mean(x, w, axis=0)) / bottleneck.move_std(x, w, axis=0, ddof=1)
    ),
    "rolling_max": _bottleneck(lambda x, w: bottleneck.move_max(x, w, axis=0)),
    "rolling_min": _bottleneck(lambda x, w: bottleneck.move_min(x, w, axis=0)),
    "rolling_drawdown": _bottleneck(lambda x, w: x / bottleneck.move_max(x, w, axis=0) - 1),
    "rolling_mean_many": _many(lambda x, w: bottleneck.move_mean(x, w)),
}


def _numbagg(compute: Callable[..., Array]) -> Prepare:
    """numbagg moves along the last axis, so it is given the turned view of a matrix."""
    return lambda inputs, parameters: lambda: compute(*(array.T for array in inputs), **parameters).T


NUMBAGG: dict[str, Prepare] = {
    "rolling_mean": _numbagg(lambda x, window: numbagg.move_mean(x, window=window)),
    "rolling_var": _numbagg(lambda x, window: numbagg.move_var(x, window=window)),
    "rolling_std": _numbagg(lambda x, window: numbagg.move_std(x, window=window)),
    "rolling_zscore": _numbagg(
        lambda x, window: (x - numbagg.move_mean(x, window=window)) / numbagg.move_std(x, window=window)
    ),
    "rolling_cov": _numbagg(lambda x, y, window: numbagg.move_cov(x, y, window=window)),
    "rolling_corr": _numbagg(lambda x, y, window: numbagg.move_corr(x, y, window=window)),
    "ema": _numbagg(lambda x, span: numbagg.move_exp_nanmean(x, alpha=2 / (span + 1))),
}


def _by_column(compute: Callable[..., Array]) -> Prepare:
    """TA-Lib takes one contiguous series at a time."""

    def prepare(inputs: Inputs, parameters: Parameters) -> Call:
        if inputs[0].ndim == 1:
            return lambda: compute(*inputs, **parameters)

        def call() -> Array:
            result = np.empty_like(inputs[0])
            for column in range(result.shape[1]):
                result[:, column] = compute(*(array[:, column].copy() for array in inputs), **parameters)
            return result

        return call

    return prepare


def _sample(window: int) -> float:
    """What turns a population deviation into that of a sample."""
    return float(np.sqrt(window / (window - 1)))


TALIB: dict[str, Prepare] = {
    "rolling_sum": _by_column(lambda x, window: talib.SUM(x, window)),
    "rolling_mean": _by_column(lambda x, window: talib.SMA(x, window)),
    "rolling_var": _by_column(lambda x, window: talib.VAR(x, window) * (window / (window - 1))),
    "rolling_std": _by_column(lambda x, window: talib.STDDEV(x, window, _sample(window))),
    "rolling_zscore": _by_column(
        lambda x, window: (x - talib.SMA(x, window)) / talib.STDDEV(x, window, _sample(window))
    ),
    "rolling_max": _by_column(lambda x, window: talib.MAX(x, window)),
    "rolling_min": _by_column(lambda x, window: talib.MIN(x, window)),
    "rolling_drawdown": _by_column(lambda x, window: x / talib.MAX(x, window) - 1),
    "rolling_corr": _by_column(lambda x, y, window: talib.CORREL(x, y, window)),
    "rolling_mean_many": _many(lambda x, w: talib.SMA(x, w)),
    "ema": _by_column(lambda x, span: talib.EMA(x, span)),
    "change": _by_column(lambda x, periods: talib.MOM(x, periods)),
    "rate_of_change": _by_column(lambda x, periods: talib.ROCP(x, periods)),
}


def _pandas(compute: Callable[..., Any]) -> Prepare:
    def prepare(inputs: Inputs, parameters: Parameters) -> Call:
        frames = [pd.Series(array) if array.ndim == 1 else pd.DataFrame(array) for array in inputs]
        return lambda: compute(*frames, **parameters)

    return prepare


def _pandas_latch(enter: Any, leave: Any) -> Any:
    state = pd.Series(np.select([enter, leave], [1.0, 0.0], np.nan))
    return state.ffill().fillna(0.0) == 1.0


def _pandas_zscore(x: Any, window: int) -> Any:
    rolling = x.rolling(window)
    return (x - rolling.mean()) / rolling.std()


def _pandas_drawdown(returns: Any) -> Any:
    wealth = (1 + returns).cumprod()
    return wealth / wealth.cummax().clip(lower=1.0) - 1


PANDAS: dict[str, Prepare] = {
    "rolling_sum": _pandas(lambda x, window: x.rolling(window).sum()),
    "rolling_mean": _pandas(lambda x, window: x.rolling(window).mean()),
    "rolling_var": _pandas(lambda x, window: x.rolling(window).var()),
    "rolling_std": _pandas(lambda x, window: x.rolling(window).std()),
    "rolling_zscore": _pandas(_pandas_zscore),
    "rolling_max": _pandas(lambda x, window: x.rolling(window).max()),
    "rolling_min": _pandas(lambda x, window: x.rolling(window).min()),
    "rolling_drawdown": _pandas(lambda x, window: x / x.rolling(window).max() - 1),
    "rolling_rank": _pandas(lambda x, window: x.rolling(window).rank(pct=True)),
    "rolling_quantile": _pandas(
        lambda x, window, quantiles: np.stack([x.rolling(window).quantile(q) for q in quantiles])
    ),
    "rolling_rank_and_quantiles": _pandas(
        lambda x, window, quantiles: (
            x.rolling(window).rank(pct=True),
            np.stack([x.rolling(window).quantile(q) for q in quantiles]),
        )
    ),
    "rolling_cov": _pandas(lambda x, y, window: x.rolling(window).cov(y)),
    "rolling_corr": _pandas(lambda x, y, window: x.rolling(window).corr(y)),
    "rolling_beta": _pandas(lambda x, y, window: x.rolling(window).cov(y) / y.rolling(window).var()),
    "rolling_mean_many": _pandas(lambda x, windows: np.stack([x.rolling(w).mean() for w in windows])),
    "ema": _pandas(lambda x, span: x.ewm(span=span, adjust=False).mean()),
    "change": _pandas(lambda x, periods: x.diff(periods)),
    "rate_of_change": _pandas(lambda x, periods: x.pct_change(periods)),
    "compound": _pandas(lambda x: (1 + x).cumprod()),
    "drawdown": _pandas(_pandas_drawdown),
    "consecutive_true": _pandas(lambda x: x.groupby((~x).cumsum()).cumsum()),
    "hysteresis": _pandas(_pandas_latch),
}


def _polars(compute: Callable[..., pl.Expr | list[pl.Expr]]) -> Prepare:
    """An expression over columns x and y of a frame, or over all columns of a matrix."""

    def prepare(inputs: Inputs, parameters: Parameters) -> Call:
        if inputs[0].ndim == 2:
            frame, columns = pl.DataFrame(inputs[0]), [pl.all()]
        else:
            names = ["x", "y"][: len(inputs)]
            frame = pl.DataFrame(dict(zip(names, inputs, strict=True)))
            columns = [pl.col(name) for name in names]
        expression = compute(*columns, **parameters)
        return lambda: frame.select(expression)

    return prepare


def _polars_quantiles(x: pl.Expr, window: int, quantiles: tuple[float, ...]) -> list[pl.Expr]:
    return [x.rolling_quantile(q, "linear", window).alias(str(q)) for q in quantiles]


def _polars_drawdown(returns: pl.Expr) -> pl.Expr:
    wealth = (1 + returns).cum_prod()
    return wealth / pl.max_horizontal(wealth.cum_max(), 1.0) - 1


def _polars_latch(enter: pl.Expr, leave: pl.Expr) -> pl.Expr:
    decided = pl.when(enter).then(True).when(leave).then(False)
    return decided.otherwise(None).forward_fill().fill_null(value=False)


POLARS: dict[str, Prepare] = {
    "rolling_sum": _polars(lambda x, window: x.rolling_sum(window)),
    "rolling_mean": _polars(lambda x, window: x.rolling_mean(window)),
    "rolling_var": _polars(lambda x, window: x.rolling_var(window)),
    "rolling_std": _polars(lambda x, window: x.rolling_std(window)),
    "rolling_zscore": _polars(lambda x, window: (x - x.rolling_mean(window)) / x.rolling_std(window)),
    "rolling_max": _polars(lambda x, window: x.rolling_max(window)),
    "rolling_min": _polars(lambda x, window: x.rolling_min(window)),
    "rolling_drawdown": _polars(lambda x, window: x / x.rolling_max(window) - 1),
    "rolling_rank": _polars(lambda x, window: x.rolling_rank(window) / window),
    "rolling_quantile": _polars(_polars_quantiles),
    "rolling_rank_and_quantiles": _polars(
        lambda x, window, quantiles: [
            (x.rolling_rank(window) / window).alias("rank"),
            *_polars_quantiles(x, window, quantiles),
        ]
    ),
    "rolling_cov": _polars(lambda x, y, window: pl.rolling_cov(x, y, window_size=window)),
    "rolling_corr": _polars(lambda x, y, window: pl.rolling_corr(x, y, window_size=window)),
    "rolling_mean_many": _polars(lambda x, windows: [x.rolling_mean(w).alias(str(w)) for w in windows]),
    "ema": _polars(lambda x, span: x.ewm_mean(span=span, adjust=False)),
    "change": _polars(lambda x, periods: x.diff(periods)),
    "rate_of_change": _polars(lambda x, periods: x.pct_change(periods)),
    "compound": _polars(lambda x: (1 + x).cum_prod()),
    "drawdown": _polars(_polars_drawdown),
    "consecutive_true": _polars(lambda x: x.cast(pl.Int64).cum_sum().over(x.rle_id()) * x),
    "hysteresis": _polars(_polars_latch),
    "regimes": _polars(lambda x: x.rle_id()),
    "run_table": _polars(lambda x: x.rle()),
}

PEERS: dict[str, dict[str, Prepare]] = {
    "bottleneck": BOTTLENECK,
    "numbagg": NUMBAGG,
    "pandas": PANDAS,
    "polars": POLARS,
    "talib": TALIB,
}


def as_arrays(result: Any, kernel: str) -> list[Array]:
    """Bring a library's result into the shape of ours."""
    if isinstance(result, tuple):
        return [array for part in result for array in as_arrays(part, "")]
    if isinstance(result, pl.DataFrame):
        if kernel == "run_table":
            runs = result["x"].struct
            return [runs.field("value").to_numpy(), runs.field("len").to_numpy()]
        if kernel == "rolling_rank_and_quantiles":
            return [result["rank"].to_numpy(), result.drop("rank").to_numpy().T]
        stacked = kernel in {"rolling_quantile", "rolling_mean_many"}
        array = result.to_numpy().T if stacked else result.to_numpy()
        return [array if stacked or result.width > 1 else array[:, 0]]
    return [np.asarray(result)]
