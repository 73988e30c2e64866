"""Run a strategy's rule over a block of combinations: the posture held after each close.

The state decided at close t is traded at close t+1: the posture of session t+1 is the one wanted at t. The first
session is therefore always flat.
"""

from typing import Any

import numpy as np
from numba.extending import overload
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import NDArray

from engine.compiled import jit
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.plan import Plan

__all__ = ["bind_rule", "decide", "leg_returns", "posture_paths"]


def bind_rule(rule: Any, knobs: NDArray[np.float64]) -> Any:
    """Return the rule with the numbers of one combination. For compiled code only."""
    raise NotImplementedError


def decide(rule: Any, state: int, held_return: float, code: int) -> int:
    """Run the rule's own compiled function. For compiled code only."""
    raise NotImplementedError


# A rule is told apart by its type, so that one compiled loop serves every strategy and is found again in the cache of a
# later process. A compiled function passed as an argument is compiled anew in each.
@overload(bind_rule)  # type: ignore[untyped-decorator]
def _bind_rule(rule: Any, knobs: Any) -> Any:  # noqa: ARG001
    bound = rule.instance_class
    count = len(rule.fields)

    def implementation(rule: Any, knobs: Any) -> Any:  # noqa: ARG001
        return bound(*to_fixed_tuple(knobs, count))

    return implementation


@overload(decide, inline="always")  # type: ignore[untyped-decorator]
def _decide(rule: Any, state: Any, held_return: Any, code: Any) -> Any:  # noqa: ARG001
    function = rule.instance_class.decide

    def implementation(rule: Any, state: Any, held_return: Any, code: Any) -> Any:
        return function(rule, state, held_return, code)

    return implementation


def leg_returns(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Simple returns of each leg, float64 (sessions, legs); the first row is 0."""
    returns = np.zeros_like(prices)
    returns[1:] = prices[1:] / prices[:-1] - 1.0
    return returns


def posture_paths(plan: Plan, combinations: NDArray[np.int64]) -> NDArray[np.int8]:
    """Posture held after each close, int8 (combinations, sessions); 0 where every leg's target is 0.

    Parameters
    ----------
    plan
        Tables of the grid.
    combinations
        Numbers of the combinations, int64.
    """
    rows = plan.rows(combinations)
    paths = np.empty((len(combinations), plan.panel.sessions), np.int8)
    rule_type = plan.grid.strategy.rule
    rule = rule_type(*(0.0 for _ in rule_type._fields))
    _run_rule(
        rule,
        rows.knobs,
        plan.codes,
        rows.codes,
        plan.market.prices,
        leg_returns(plan.market.prices),
        plan.market.weights,
        rows.weights,
        rows.daily,
        paths,
    )
    return paths


@jit
def _run_rule(
    rule: Any,
    knobs: NDArray[np.float64],
    codes: NDArray[np.uint16],
    code_rows: NDArray[np.int64],
    prices: NDArray[np.float64],
    returns: NDArray[np.float64],
    weights: NDArray[np.float64],
    weight_rows: NDArray[np.int64],
    daily: NDArray[np.bool_],
    paths: NDArray[np.int8],
) -> None:
    """Fill ``paths``; see `posture_paths`."""
    sessions, legs = prices.shape
    for i in range(paths.shape[0]):
        bound = bind_rule(rule, knobs[i])
        target = weights[weight_rows[i]]
        invested = _is_invested(target)
        state = 0
        posture = 0
        filled = 0
        held_return = 0.0
        for t in range(sessions):
            wanted = state & POSTURE_MASK
            if wanted != posture:
                posture = wanted
                filled = t
                held_return = 0.0
            elif posture != 0:
                gain = 0.0
                if daily[i]:
                    for leg in range(legs):
                        gain += target[posture, leg] * returns[t, leg]
                    held_return = (1.0 + held_return) * (1.0 + gain) - 1.0
                else:
                    for leg in range(legs):
                        gain += target[posture, leg] * (prices[t, leg] / prices[filled, leg] - 1.0)
                    held_return = gain
            paths[i, t] = posture if invested[posture] else 0
            code = 0
            for signal in range(code_rows.shape[1]):
                code |= codes[code_rows[i, signal], t]
            state = decide(bound, state, held_return, code)


@jit
def _is_invested(target: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which postures hold anything."""
    invested = np.zeros(target.shape[0], np.bool_)
    for posture in range(target.shape[0]):
        for leg in range(target.shape[1]):
            invested[posture] |= target[posture, leg] != 0.0
    return invested
