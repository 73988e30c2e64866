"""The pair's sweep as a researcher usually writes it with pandas and vectorbt: all combinations in one portfolio.

It is written with care where that is common: each average is computed once, the rule is compiled, the orders go
through one call. Only the engine is another.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from numba import njit

LEGS = ["XLE", "XLB", "XLU", "IGV"]


@njit(cache=True)  # type: ignore[untyped-decorator]
def hold(entries: Any, exits: Any, pair_returns: Any, stop_loss: float) -> Any:
    """Whether the pair is held after each close; a signal is filled one close later, and a stop has to re-arm."""
    held = np.zeros(len(entries), np.bool_)
    wanted, armed = False, True
    growth = 1.0
    for t in range(1, len(entries)):
        held[t] = wanted
        if held[t]:
            growth = growth * (1.0 + pair_returns[t]) if held[t - 1] else 1.0
            stopped = growth - 1.0 <= stop_loss
            wanted = not (stopped or exits[t])
            armed = not stopped
        else:
            armed = armed or not entries[t]
            wanted = entries[t] and armed and not exits[t]
    return held


def sweep(
    closes: pd.DataFrame, grid: Mapping[str, Sequence[Any]], assets: Mapping[str, Any], fees: float
) -> pd.DataFrame:
    """Metrics of every combination of XLF average, HYG drawdown, basket weights and stop, in this order."""
    combinations = list(itertools.product(*grid.values()))
    xlf, hyg, vix = closes["XLF"], closes["HYG"], closes["VIX"]
    averages = {length: xlf.rolling(length).mean() for length in grid["xlf_dma"]}
    falling = {length: average.pct_change(20, fill_method=None) < 0 for length, average in averages.items()}
    reclaimed = {length: (xlf > average).rolling(5).sum() == 5 for length, average in averages.items()}
    drawdown = hyg / hyg.rolling(60).max() - 1
    vix_fast, vix_slow = vix.rolling(20).mean(), vix.rolling(50).mean()

    basket = pd.Series({leg: assets[leg] for leg in LEGS[:3]})
    weights = {
        "equal": np.array([1 / 3, 1 / 3, 1 / 3, -1.0]),
        "market_cap": np.append((basket / basket.sum()).to_numpy(), -1.0),
    }
    returns = closes[LEGS].pct_change(fill_method=None).fillna(0.0)
    pair_returns = {name: (returns * weight).sum(axis=1).to_numpy() for name, weight in weights.items()}

    sizes = np.full((len(closes), len(combinations), len(LEGS)), np.nan)
    for k, (length, threshold, weighting, stop_loss) in enumerate(combinations):
        entries = (xlf < averages[length]) & falling[length] & (drawdown < threshold) & (vix_fast > vix_slow)
        exits = reclaimed[length] | (vix_fast < vix_slow)
        held = hold(entries.to_numpy(), exits.to_numpy(), pair_returns[weighting], stop_loss)
        left = ~held & np.roll(held, 1)
        left[0] = False
        sizes[held, k] = weights[weighting]
        sizes[left, k] = 0.0

    close = pd.concat([closes[LEGS]] * len(combinations), axis=1, keys=range(len(combinations)))
    close.columns.names = ["combination", "leg"]
    vbt.settings.returns["year_freq"] = "252 days"
    portfolio = vbt.Portfolio.from_orders(
        close,
        sizes.reshape(len(closes), -1),
        size_type="targetpercent",
        group_by="combination",
        cash_sharing=True,
        call_seq="auto",
        fees=fees,
        freq="1D",
    )
    return pd.DataFrame(
        {
            "total_return": portfolio.total_return(),
            "cagr": portfolio.annualized_return(),
            "volatility": portfolio.annualized_volatility(),
            "sharpe": portfolio.sharpe_ratio(),
            "sortino": portfolio.sortino_ratio(),
            "calmar": portfolio.calmar_ratio(),
            "max_drawdown": portfolio.max_drawdown(),
            "trades": portfolio.positions.count() / len(LEGS),  # it counts each leg
        }
    )
