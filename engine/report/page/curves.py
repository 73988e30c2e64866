"""Equity of a combination and of what it is compared with, day by day, all from the one accounting."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.accounting import account
from engine.sweep.benchmarks import buy_and_hold_market
from engine.sweep.plan import Market, Plan
from engine.sweep.rules import posture_paths

__all__ = ["drawdown", "equity_curves"]


def equity_curves(plan: Plan, combination: int) -> pl.DataFrame:
    """Equity at each close of the sample, starting from 1 before the first.

    Parameters
    ----------
    plan
        The sweep's tables.
    combination
        Number of the combination in the grid.

    Returns
    -------
    ``date``; ``posture`` held after the close; ``net`` and ``gross`` of the combination; ``always_on``, its position
    held throughout, and ``buy_and_hold``, SPY held throughout, both net of costs. Where SPY is not in the store, or has
    no price on some session, the last column is left out.
    """
    market = plan.market
    number = np.array([combination])
    rows = plan.rows(number)
    path = posture_paths(plan, number)
    always = np.full_like(path, plan.grid.strategy.always)
    columns = {
        "net": _equity(market, path, rows.weights, rows.daily),
        "gross": _equity(market, path, rows.weights, rows.daily, cost_rate=0.0),
        "always_on": _equity(market, always, rows.weights, rows.daily),
    }
    alone = buy_and_hold_market(plan)
    if alone is not None and np.isfinite(alone.prices).all():
        columns["buy_and_hold"] = _equity(alone, np.ones_like(path), np.zeros(1, np.int64), np.zeros(1, np.bool_))
    return pl.DataFrame({"date": market.dates, "posture": path[0], **columns})


def drawdown(equity: pl.Series) -> pl.Series:
    """Equity at each close over its highest close so far, minus 1."""
    return equity / equity.cum_max() - 1.0


def _equity(
    market: Market,
    path: NDArray[np.int8],
    weights: NDArray[np.int64],
    daily: NDArray[np.bool_],
    *,
    cost_rate: float | None = None,
) -> NDArray[np.float64]:
    returns, _ = account(market, path, weights, daily, cost_rate=cost_rate)
    return np.asarray(np.cumprod(1.0 + returns[:, 0]), np.float64)
