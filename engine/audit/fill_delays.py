"""What a strategy earns when its decisions are filled sooner or later than at the next close.

The decisions are those of the law: decided at close t, judged on a holding filled at close t+1. Only the fills move. A
result that lives on the first day after the signal shows it here.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.sweep import Plan, trace_rule
from engine.sweep.rules import is_invested
from engine.sweep.vectorbt_backend import evaluate_paths

__all__ = ["DELAYS", "fill_delays"]

DELAYS = (0, 1, 2, 5)
"""Closes between a decision and its fill: 1 is the law, 0 is look-ahead."""


def fill_delays(plan: Plan, delays: Sequence[int] = DELAYS) -> pl.DataFrame:
    """Evaluate the first combination of a plan with its fills delayed.

    Returns
    -------
    One row a delay: ``delay``, ``tradable`` (false for 0: the close that is traded is part of the decision), and the
    columns of `engine.metrics`.
    """
    wanted = trace_rule(plan).wanted
    held = np.where(is_invested(plan.market.weights[0])[wanted], wanted, 0).astype(np.int8)
    paths = np.zeros((len(delays), len(held)), np.int8)
    for path, delay in zip(paths, delays, strict=True):
        path[delay:] = held[: len(held) - delay]
    rows, daily = np.zeros(len(delays), np.int64), np.full(len(delays), bool(plan.daily.rows[0]))
    metrics = evaluate_paths(plan.market, paths, rows, daily)
    labels = pl.DataFrame({"delay": delays, "tradable": [delay > 0 for delay in delays]})
    return pl.concat([labels, metrics], how="horizontal")
