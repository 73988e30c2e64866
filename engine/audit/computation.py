"""Everything that a strategy computes on a panel, layer by layer, and where two computations differ first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from engine.strategies import depends_on, read_condition
from engine.sweep import Grid, Plan, RuleTrace, plan_from_panel, trace_rule
from engine.sweep.accounting import account
from engine.sweep.rules import is_invested

__all__ = ["KINDS", "Computation", "Difference", "Kind", "Layer", "compute", "first_differences"]

Kind = Literal[
    "value",
    "threshold",
    "verdict",
    "number of the rule",
    "target weight",
    "code",
    "state",
    "held return",
    "position at the next close",
    "return",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which a strategy computes them: what goes wrong in one goes wrong in those after it."""


@dataclass(frozen=True)
class Layer:
    """One thing that is computed for each row.

    Attributes
    ----------
    kind, name
        What it is, and of which condition, parameter or leg; the name is empty where there is only one.
    values
        One entry a row of the panel, from row ``start`` on.
    """

    kind: Kind
    name: str
    values: NDArray[Any]
    start: int


@dataclass(frozen=True)
class Computation:
    """All layers of one combination on one panel, with the plan and the trace that they were taken from."""

    layers: tuple[Layer, ...]
    plan: Plan
    trace: RuleTrace


@dataclass(frozen=True)
class Difference:
    """Where a layer first differs between two histories that agree up to a row.

    Attributes
    ----------
    kind, name
        The layer.
    row
        Row of the panel that the layer speaks of.
    before, after
        What it said on the whole history, and on the other one.
    """

    kind: Kind
    name: str
    row: int
    before: float
    after: float


def compute(panel: Panel, grid: Grid) -> Computation:
    """Compute all layers of a grid with one combination."""
    plan = plan_from_panel(panel, grid)
    trace = trace_rule(plan)
    return Computation((*_readings(plan), *_rule(plan, trace)), plan, trace)


def _readings(plan: Plan) -> Iterator[Layer]:
    for condition in plan.grid.strategy.conditions:
        values = {name: getattr(plan.grid.fixed, name) for name in depends_on(condition.read)}
        reading = read_condition(condition, plan.panel, values)
        yield Layer("value", condition.text, reading.value, 0)
        yield Layer("threshold", condition.text, reading.threshold, 0)
        yield Layer("verdict", condition.text, reading.met, 0)


def _rule(plan: Plan, trace: RuleTrace) -> Iterator[Layer]:
    strategy, start, sessions = plan.grid.strategy, plan.panel.start, plan.panel.sessions
    for name, number in zip(strategy.rule._fields, plan.knobs.rows[0], strict=True):
        yield Layer("number of the rule", name, np.broadcast_to(number, sessions), start)
    weights = plan.market.weights[0]
    for posture, name in enumerate(strategy.postures):
        for leg, weight in zip(strategy.legs, weights[posture], strict=True):
            yield Layer("target weight", f"{leg} in posture {name!r}", np.broadcast_to(weight, sessions), start)
    yield Layer("code", "", trace.codes, start)
    yield Layer("state", "", trace.states, start)
    yield Layer("held return", "", trace.held_returns, start)
    # What is held after the next close follows from the state; where there is a next row, it is what the engine held.
    due = np.where(is_invested(weights)[trace.wanted[-1]], trace.wanted[-1], 0)
    yield Layer("position at the next close", "", np.append(trace.path[1:], due), start)
    rows, daily = np.zeros(1, np.int64), np.array([bool(plan.daily.rows[0])])
    returns, _ = account(plan.market, trace.path[np.newaxis], rows, daily)
    yield Layer("return", "", returns[:, 0], start)


def first_differences(whole: Computation, other: Computation, row: int) -> list[Difference]:
    """Compare two computations on histories that agree up to ``row``, that row included.

    Returns
    -------
    For each layer that differs, where it does first; bit for bit, NaN being equal to NaN.
    """
    differences = []
    for one, two in zip(whole.layers, other.layers, strict=True):
        rows = row + 1 - one.start
        before, after = one.values[:rows], two.values[:rows]
        differing = np.flatnonzero((before != after) & ((before == before) | (after == after)))  # noqa: PLR0124 - NaN
        if differing.size:
            first = int(differing[0])
            differences.append(
                Difference(one.kind, one.name, one.start + first, float(before[first]), float(after[first]))
            )
    return differences
