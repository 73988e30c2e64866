"""Run a strategy's rule over a block of combinations: the posture held after each close, and how it came about.

The state decided at close t is traded at close t+1: the posture of session t+1 is the one wanted at t. The first
session is therefore always flat.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.extending import overload
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import NDArray

from engine.compiled import jit
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.plan import Plan

__all__ = ["RuleTrace", "bind_rule", "decide", "is_invested", "leg_returns", "posture_paths", "trace_rule"]


@dataclass(frozen=True)
class RuleTrace:
    """What one combination's rule saw and decided at each close.

    Attributes
    ----------
    codes
        Conditions met, uint16 (sessions,): what the rule was given.
    held_returns
        What the present holding has earned since its fill, gross of costs, float64 (sessions,); 0 without one.
    states
        State decided at each close, int64 (sessions,). The state before the first decision is 0.
    path
        Posture held after each close, int8 (sessions,), as `posture_paths` returns it.
    """

    codes: NDArray[np.uint16]
    held_returns: NDArray[np.float64]
    states: NDArray[np.int64]
    path: NDArray[np.int8]

    @property
    def wanted(self) -> NDArray[np.int64]:
        """Posture wanted from the next close on, int64 (sessions,)."""
        return self.states & POSTURE_MASK


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
    paths = np.empty((len(combinations), plan.panel.sessions), np.int8)
    _run(plan, combinations, paths, None)
    return paths


def trace_rule(plan: Plan, combination: int = 0) -> RuleTrace:
    """Run the rule of one combination and keep what it saw and decided at each close."""
    combinations = np.array([combination], np.int64)
    paths = np.empty((1, plan.panel.sessions), np.int8)
    held_returns, states = np.empty(paths.shape), np.empty(paths.shape, np.int64)
    _run(plan, combinations, paths, (held_returns, states))
    codes = np.bitwise_or.reduce(plan.codes[plan.rows(combinations).codes[0]])
    return RuleTrace(codes, held_returns[0], states[0], paths[0])


def _run(
    plan: Plan,
    combinations: NDArray[np.int64],
    paths: NDArray[np.int8],
    trace: tuple[NDArray[np.float64], NDArray[np.int64]] | None,
) -> None:
    rows = plan.rows(combinations)
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
        trace,
    )


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
    trace: tuple[NDArray[np.float64], NDArray[np.int64]] | None,
) -> None:
    """Fill ``paths`` and, unless it is None, which costs nothing, the trace: held returns and states."""
    sessions, legs = prices.shape
    for i in range(paths.shape[0]):
        bound = bind_rule(rule, knobs[i])
        target = weights[weight_rows[i]]
        invested = is_invested(target)
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
            if trace is not None:
                trace[0][i, t] = held_return
                trace[1][i, t] = state


@jit
def is_invested(target: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which postures hold anything."""
    invested = np.zeros(target.shape[0], np.bool_)
    for posture in range(target.shape[0]):
        for leg in range(target.shape[1]):
            invested[posture] |= target[posture, leg] != 0.0
    return invested
