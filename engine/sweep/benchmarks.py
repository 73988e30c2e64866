"""What doing nothing clever would have earned over the same days: SPY held, and the strategy's position always on."""

import numpy as np
import polars as pl

from engine.sweep.plan import BUY_AND_HOLD, Market, Plan
from engine.sweep.vectorbt_backend import evaluate_paths

__all__ = ["benchmarks", "buy_and_hold_market"]


def benchmarks(plan: Plan) -> pl.DataFrame:
    """Evaluate the benchmarks of a sweep.

    Both are filled at the first close of the sample and kept to the last, at the sweep's costs. The position that is
    always on is shown for each set of target weights in the grid, rebalanced as the grid's first combination is.

    Returns
    -------
    One row a benchmark: ``benchmark`` and the metrics. Where SPY lacks a price on some session its row is left out.
    """
    market, strategy = plan.market, plan.grid.strategy
    rows = np.arange(len(market.weights))
    daily = np.full(len(rows), bool(plan.daily.rows[0]))
    paths = np.full((len(rows), len(market.dates)), strategy.always, np.int8)
    always = evaluate_paths(market, paths, rows, daily).with_columns(pl.Series("benchmark", _weight_labels(plan)))
    alone = buy_and_hold_market(plan)
    frames = [always] if alone is None else [_buy_and_hold(alone), always]
    return pl.concat([frame.select("benchmark", pl.exclude("benchmark")) for frame in frames])


def buy_and_hold_market(plan: Plan) -> Market | None:
    """SPY alone over the same days at the same costs: posture 1 holds it. None where SPY lacks a price."""
    if BUY_AND_HOLD not in plan.panel.columns:
        return None
    prices = plan.panel.matrix((BUY_AND_HOLD,))
    if np.isnan(prices).any():
        return None
    return Market(
        dates=plan.market.dates,
        legs=(BUY_AND_HOLD,),
        prices=prices,
        weights=np.array([[[0.0], [1.0]]]),
        cost_rate=plan.market.cost_rate,
    )


def _buy_and_hold(alone: Market) -> pl.DataFrame:
    path = np.ones((1, len(alone.dates)), np.int8)
    metrics = evaluate_paths(alone, path, np.zeros(1, np.int64), np.zeros(1, np.bool_))
    return metrics.with_columns(pl.lit(f"{BUY_AND_HOLD} bought and held").alias("benchmark"))


def _weight_labels(plan: Plan) -> list[str]:
    """Name each set of target weights by the swept parameters that it depends on."""
    always = f"{plan.grid.strategy.name} always on"
    return [", ".join([always, *(str(value) for value in values.values())]) for values in plan.weights.values]
