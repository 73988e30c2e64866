"""Evaluate posture paths with vectorbt: equity by its order simulation, ratios by its returns accessor.

This is the only module that imports vectorbt, and it does so at the first evaluation: the import takes seconds and
hundreds of megabytes. What vectorbt must be told, it is told here: a year of 252 sessions, daily frequency, one
account for all legs, sales before purchases, and the numba engine whether or not a faster one is installed.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import LEAST_RISK, METRICS, SESSIONS_A_YEAR
from engine.sweep.accounting import account
from engine.sweep.orders import returns_from_orders
from engine.sweep.plan import Market
from engine.sweep.trades import trade_statistics

__all__ = ["bytes_per_path", "evaluate_paths", "simulate"]

INITIAL_CASH = 1_000_000.0
"""Cash of an account at its start. vectorbt takes an amount of less than 1e-12 for none; of an account of 100 that is
enough to be seen in the twelfth digit of the result.
"""


def bytes_per_path(market: Market) -> int:
    """Memory that one path takes at the peak of `evaluate_paths`, in bytes; measured, and rounded up."""
    legs = len(market.legs) + _needs_loan(market)
    return len(market.dates) * (legs * 170 + 90)


def evaluate_paths(
    market: Market, paths: NDArray[np.int8], weight_rows: NDArray[np.int64], daily: NDArray[np.bool_]
) -> pl.DataFrame:
    """Metrics of a block of posture paths, net and gross of costs.

    Parameters
    ----------
    market
        Prices, weights and costs.
    paths
        Posture held after each close, int8 (paths, sessions).
    weight_rows
        Row of each path in ``market.weights``.
    daily
        Whether each path is rebalanced at every close.

    Returns
    -------
    One row a path, the columns of `engine.metrics`; null where a metric cannot be computed.
    """
    with _collecting_what_is_new():
        _, turnover = account(market, paths, weight_rows, daily)
        gross, _ = account(market, paths, weight_rows, daily, cost_rate=0.0)
        frame = _metrics(market, simulate(market, paths, weight_rows, daily), paths)
        frame = frame.with_columns(pl.Series("turnover", turnover))
        before_costs = _metrics(market, gross, paths)
    differing = [metric.name for metric in METRICS if metric.differs_gross]
    return frame.select(
        *(metric.name for metric in METRICS), *(before_costs[name].alias(f"gross_{name}") for name in differing)
    )


@contextmanager
def _collecting_what_is_new() -> Iterator[None]:
    """Collect what the block leaves behind, and do not look at what was there before.

    Portfolios sit in reference cycles and would pile up from block to block; to go through all that is imported each
    time would take longer than many a block. Where something is set aside already, whoever did it brings it back.
    """
    mine = gc.get_freeze_count() == 0
    if mine:
        gc.freeze()
    try:
        yield
        gc.collect()
    finally:
        if mine:
            gc.unfreeze()


def simulate(
    market: Market, paths: NDArray[np.int8], weight_rows: NDArray[np.int64], daily: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Simple returns of posture paths net of costs, float64 (sessions, paths), by vectorbt's order simulation."""
    import pandas as pd  # noqa: PLC0415 - slow to import
    import vectorbt as vbt  # noqa: PLC0415 - slow to import

    count = len(paths)
    rates = [market.cost_rate] * len(market.legs)
    if _needs_loan(market):
        market, rates = _with_loan(market), [*rates, 0.0]
    targets = target_percents(market.weights, weight_rows, daily, paths)
    orders = int(np.count_nonzero(~np.isnan(targets)))
    if orders == 0:
        return np.zeros((paths.shape[1], count))
    columns = pd.MultiIndex.from_product([range(count), market.legs], names=["path", "leg"])
    close = pd.DataFrame(np.tile(market.prices, (1, count)), index=pd.DatetimeIndex(market.dates), columns=columns)
    portfolio = vbt.Portfolio.from_orders(
        close,
        targets,
        size_type="targetpercent",
        group_by="path",
        cash_sharing=True,
        call_seq="auto",
        fees=np.tile(rates, (1, count)),
        min_size=0.0,  # its default leaves small corrections undone
        init_cash=INITIAL_CASH,
        freq="1D",
        max_orders=orders,
        engine="numba",
    )
    return returns_from_orders(portfolio.order_records, market.prices, count, cash=INITIAL_CASH)


def _needs_loan(market: Market) -> bool:
    """Tell whether the cash of an account could fall short of a purchase and its cost."""
    costs = 2.0 * market.cost_rate * np.abs(market.weights).sum(axis=2).max()
    return bool(market.weights.sum(axis=2).max() + costs > 1.0)


def _with_loan(market: Market) -> Market:
    """Add a leg that is a loan without interest: an asset whose price stands still, held short, traded without cost.

    vectorbt spends no cash that an account does not have: it would silently buy less than the target, if only by the
    cost of the purchase. The loan is as large as the purchases, so that the account's own equity pays the costs.
    """
    invested = (market.weights != 0.0).any(axis=2, keepdims=True)
    largest = np.maximum(market.weights, 0.0).sum(axis=2).max()
    return replace(
        market,
        legs=(*market.legs, "loan"),
        prices=np.column_stack([market.prices, np.ones(len(market.prices))]),
        weights=np.concatenate([market.weights, np.where(invested, -largest, 0.0)], axis=2),
    )


def target_percents(
    weights: NDArray[np.float64], weight_rows: NDArray[np.int64], daily: NDArray[np.bool_], paths: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Target fraction of equity of every leg at every close, NaN where nothing is traded.

    Returns
    -------
    Float64 (sessions, paths * legs), the legs of one path side by side.
    """
    out = np.full((paths.shape[1], paths.shape[0] * weights.shape[2]), np.nan)
    _fill_targets(weights, weight_rows, daily, paths, out)
    return out


@jit
def _fill_targets(
    weights: NDArray[np.float64],
    weight_rows: NDArray[np.int64],
    daily: NDArray[np.bool_],
    paths: NDArray[np.int8],
    out: NDArray[np.float64],
) -> None:
    legs = weights.shape[2]
    for i in range(paths.shape[0]):
        target = weights[weight_rows[i]]
        before = 0
        for t in range(paths.shape[1]):
            posture = paths[i, t]
            if posture != before or (posture != 0 and daily[i]):
                for leg in range(legs):
                    out[t, i * legs + leg] = target[posture, leg]
            before = posture


def _metrics(market: Market, returns: NDArray[np.float64], paths: NDArray[np.int8]) -> pl.DataFrame:
    """Metrics of a matrix of returns, (sessions, paths)."""
    import pandas as pd  # noqa: PLC0415 - slow to import
    import vectorbt as vbt  # noqa: PLC0415, F401 - registers the accessor

    frame = pd.DataFrame(returns, index=pd.DatetimeIndex(market.dates))
    accessor: Any = frame.vbt.returns(freq="1D", year_freq=f"{SESSIONS_A_YEAR} days")
    trades, hits, exposure = (np.empty(len(paths)) for _ in range(3))
    trade_statistics(paths, returns, trades, hits, exposure)
    cagr, volatility = accessor.annualized().to_numpy(), accessor.annualized_volatility().to_numpy()
    drawdown = accessor.max_drawdown().to_numpy()
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2, axis=0) * SESSIONS_A_YEAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "total_return": accessor.total().to_numpy(),
            "cagr": cagr,
            "volatility": volatility,
            "sharpe": accessor.sharpe_ratio().to_numpy(),
            "return_to_vol": cagr / volatility,
            "sortino": accessor.sortino_ratio().to_numpy(),
            "calmar": accessor.calmar_ratio().to_numpy(),
            "max_drawdown": drawdown,
            "trades": trades,
            "hit_rate": hits / trades,
            "exposure": exposure,
        }
    risks = {"sharpe": volatility, "return_to_vol": volatility, "sortino": downside, "calmar": -drawdown}
    exists = {name: (trades > 0) & (risk >= LEAST_RISK) for name, risk in risks.items()} | {"hit_rate": trades > 0}
    return (
        pl.DataFrame(
            {
                name: np.where(np.isfinite(values) & exists.get(name, True), values, np.nan)
                for name, values in columns.items()
            }
        )
        .fill_nan(None)
        .with_columns(pl.col("trades").cast(pl.Int32))
    )
