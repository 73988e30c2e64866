"""Decisions carried out and an account kept, in plain loops: for strategies with more than one posture.

A posture is a number; posture 0 is nothing held. What close t decides, close t + 1 fills. Prices are total-return
closes of one sample.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from tests.references.pair import SESSIONS_A_YEAR, Closes, Metrics, performance

Weights = Mapping[str, float]
"""Fraction of equity in each leg."""

Decide = Callable[[int, float], int]
"""From the number of a close and what the holding has earned since its fill to the posture wanted."""


def carry_out(
    decide: Decide,
    closes: Mapping[str, Closes],
    weights: Sequence[Weights],
    *,
    rebalance: Literal["daily", "entry"],
) -> list[int]:
    """Posture held after each close; 0 where it holds nothing."""
    posture, filled, growth, wanted = 0, 0, 1.0, 0
    held = []
    for t in range(min(len(series) for series in closes.values())):
        if wanted != posture:
            posture, filled, growth = wanted, t, 1.0
        elif posture != 0 and rebalance == "daily":
            growth *= 1 + gain(closes, weights[posture], t - 1, t)
        elif posture != 0:
            growth = 1 + gain(closes, weights[posture], filled, t)
        invested = any(weight != 0 for weight in weights[posture].values())
        held.append(posture if invested else 0)
        wanted = decide(t, growth - 1)
    return held


def gain(closes: Mapping[str, Closes], weights: Weights, start: int, end: int) -> float:
    """Sum of weight times price change of each leg from close `start` to close `end`."""
    return sum(weight * (closes[leg][end] / closes[leg][start] - 1) for leg, weight in weights.items())


def keep_account(
    closes: Mapping[str, Closes],
    weights: Sequence[Weights],
    postures: Sequence[int],
    *,
    rebalance: Literal["daily", "entry"],
    cost: float,
) -> tuple[list[float], list[float], list[float]]:
    """Equity after each close, notional traded over the equity before it, and the return of each holding.

    Orders of a close are sized on the equity before them; their costs leave the cash. Where one posture follows another
    at once, the costs of the switch belong to the first.
    """
    legs = sorted({leg for row in weights for leg in row})
    cash = 1.0
    shares = dict.fromkeys(legs, 0.0)
    equity: list[float] = []
    traded: list[float] = []
    holding_returns: list[float] = []
    before_holding = 1.0
    for t, posture in enumerate(postures):
        before = postures[t - 1] if t > 0 else 0
        value = cash + sum(shares[leg] * closes[leg][t] for leg in legs)
        notional = 0.0
        if posture != before or (posture != 0 and rebalance == "daily"):
            for leg in legs:
                target = weights[posture].get(leg, 0.0) * value if posture != 0 else 0.0
                order = target - shares[leg] * closes[leg][t]
                notional += abs(order)
                cash -= order
                shares[leg] = target / closes[leg][t]
            cash -= cost * notional
        equity.append(cash + sum(shares[leg] * closes[leg][t] for leg in legs))
        traded.append(notional / value)
        if before not in (0, posture):
            holding_returns.append(earned(before_holding, equity[t]))
        if posture not in (0, before):
            before_holding = value if before == 0 else equity[t]
    if postures[-1] != 0:
        holding_returns.append(earned(before_holding, equity[-1]))
    return equity, traded, holding_returns


def earned(before: float, after: float) -> float:
    """Return from one equity to another; a close that did not move earned nothing, whatever the rounding says."""
    return round(after / before - 1, 12)


def evaluate(
    closes: Mapping[str, Closes],
    weights: Sequence[Weights],
    postures: Sequence[int],
    *,
    rebalance: Literal["daily", "entry"],
    cost: float,
) -> Metrics:
    """Metrics net of costs, and those before costs under `gross_`."""
    equity, traded, holdings = keep_account(closes, weights, postures, rebalance=rebalance, cost=cost)
    free_equity, _, free_holdings = keep_account(closes, weights, postures, rebalance=rebalance, cost=0.0)
    metrics = performance(equity, holdings)
    metrics |= {f"gross_{name}": value for name, value in performance(free_equity, free_holdings).items()}
    metrics["trades"] = len(holdings)
    metrics["exposure"] = sum(1 for posture in postures if posture != 0) / len(postures)
    metrics["turnover"] = math.fsum(traded) * SESSIONS_A_YEAR / len(postures)
    return metrics
