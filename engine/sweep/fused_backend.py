"""Evaluate combinations from conditions to metrics, without an array of days by combinations.

`engine.sweep.paths` follows combinations from holding to holding. The *remembering* form computes each distinct holding
once, and follows combinations that it finds to hold the same positions once. The *event-driven* form does so too, and
jumps over closes at which nothing can happen. *One pass* does without all that saves work: each close is looked at,
each holding is computed anew, each combination is followed. It adds the same numbers in the same order, so all forms
agree to the last bit.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import GROSS_METRICS, METRICS
from engine.sweep.alike import new_alike
from engine.sweep.decisions import Stops, declared_stops, no_changes
from engine.sweep.holdings import Books, new_memory, open_books
from engine.sweep.one_path import Form, Scratch
from engine.sweep.paths import FIGURES, Paths, follow_combinations, new_paths, of_rows
from engine.sweep.plan import Plan
from engine.sweep.waking import SEARCHED, VISITED, Planes, condition_planes, start_watch

__all__ = [
    "EVENT_DRIVEN",
    "ONE_PASS",
    "REMEMBERING",
    "Evaluator",
    "choose_form",
    "evaluate_combinations",
    "make_evaluator",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EVENT_DRIVEN = Form(jumps=True, remembers=True)
REMEMBERING = Form(jumps=False, remembers=True)
ONE_PASS = Form(jumps=False, remembers=False)

PROBED = 64
"""Combinations followed to measure how often a rule must be asked."""

DENSE = 0.5
"""Share of closes at which it must be, from which on asking at every close is faster than jumping."""


@dataclass(frozen=True)
class Evaluator:
    """What all combinations of a grid share: read by many threads, changed by none.

    Attributes
    ----------
    plan
        Tables of the grid.
    books
        The traded side.
    codes
        Codes of the plan as words of four, uint64 (rows, words).
    planes
        Conditions of the plan as packed bits.
    stops
        When the rule looks at what its holding has earned.
    likeness
        int64 (axes,): strides of an order in which combinations that differ little are neighbours.
    """

    plan: Plan
    books: Books
    codes: NDArray[np.uint64]
    planes: Planes
    stops: Stops
    likeness: Integers


def make_evaluator(plan: Plan) -> Evaluator:
    """Make a plan ready for `evaluate_combinations`."""
    stops = declared_stops(plan.grid.strategy.rule)
    return Evaluator(
        plan=plan,
        books=open_books(plan.market),
        codes=_four_a_word(plan.codes),
        planes=condition_planes(plan),
        stops=stops,
        likeness=_likeness(plan, stops),
    )


def _likeness(plan: Plan, stops: Stops) -> Integers:
    """Order the axes by what a step along them changes, from the rule to nothing but a stop."""
    fields = plan.grid.strategy.rule._fields
    stop_axes = {field for field, is_stop in zip(fields, stops.is_stop, strict=True) if is_stop}
    changes = (
        plan.knobs.strides,
        *(table.strides for table in plan.code_tables),
        plan.weights.strides,
        plan.daily.strides,
    )

    def rank(axis: int) -> int:
        if list(plan.grid.axes)[axis] in stop_axes:
            return len(changes)
        return next((k for k, strides in enumerate(changes) if strides[axis]), len(changes) - 1)

    strides = np.zeros(len(plan.grid.axes), np.int64)
    step = 1
    for axis in sorted(range(len(strides)), key=rank, reverse=True):
        strides[axis] = step
        step *= plan.grid.shape[axis]
    return strides


def choose_form(evaluator: Evaluator) -> Form:
    """Jump where that saves looking at most closes, measured on some combinations; remember in any case."""
    size = evaluator.plan.grid.size
    probed = np.unique(np.linspace(0, size - 1, min(PROBED, size)).astype(np.int64))
    probed = probed[evaluator.plan.is_feasible(probed)]
    _, _, counted = _follow(evaluator, probed, EVENT_DRIVEN)
    looked_at, searched = counted[VISITED], counted[SEARCHED]
    return EVENT_DRIVEN if looked_at < DENSE * searched * evaluator.plan.panel.sessions else REMEMBERING


def evaluate_combinations(evaluator: Evaluator, combinations: Integers, form: Form = EVENT_DRIVEN) -> pl.DataFrame:
    """Metrics of some combinations, net and gross of costs.

    Parameters
    ----------
    evaluator
        `make_evaluator` of the plan.
    combinations
        Numbers of combinations, int64.
    form
        How much work is saved.

    Returns
    -------
    One row a combination, the columns of `engine.metrics`; null where a metric cannot be computed.
    """
    metrics, path_of, _ = _follow(evaluator, combinations, form)
    return metrics[path_of]


def _follow(evaluator: Evaluator, combinations: Integers, form: Form) -> tuple[pl.DataFrame, Integers, Integers]:
    """Metrics of the paths that were followed, the path of each combination, and what was counted on the way."""
    plan = evaluator.plan
    digits = plan.digits(combinations)
    rows = plan.rows_at(digits)
    order = np.argsort(digits @ evaluator.likeness, kind="stable")
    rule_type = plan.grid.strategy.rule
    paths = new_paths(len(combinations))
    joined = np.zeros((len(plan.code_tables), evaluator.codes.shape[1]), np.uint64)
    scratch = Scratch(
        codes=joined[-1].view(np.uint16)[: plan.panel.sessions],
        joined=joined,
        holdings=np.empty(plan.market.prices.shape[1]),
        low=np.empty(rows.knobs.shape[1]),
        high=np.empty(rows.knobs.shape[1]),
        changes=no_changes(plan.panel.sessions),
        places=np.zeros(plan.panel.sessions + 1, np.int64),
        watch=start_watch(*evaluator.planes.met.shape[1:]),
        memory=new_memory(len(combinations) if form.remembers else 0),
        alike=new_alike(len(combinations) if form.remembers else 0, rows.knobs.shape[1], plan.panel.sessions),
    )
    followed = follow_combinations(
        rule_type(*(0.0 for _ in rule_type._fields)),
        form,
        evaluator.stops,
        of_rows(rows, order),
        evaluator.codes,
        evaluator.planes,
        evaluator.books,
        scratch,
        paths,
    )
    return _metrics(paths, followed), paths.of, scratch.watch.visited


def _metrics(paths: Paths, followed: int) -> pl.DataFrame:
    figures = dict(zip(FIGURES, paths.figures[:, :followed], strict=True))
    ordered = (*(metric.name for metric in METRICS), *GROSS_METRICS)
    # Column by column: Polars takes longer to begin with an expression than a small grid to be evaluated.
    columns = {name: pl.Series(name, figures[name], nan_to_null=True) for name in ordered}
    return pl.DataFrame({**columns, "trades": columns["trades"].cast(pl.Int32)})


def _four_a_word(codes: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """Codes as words of four, each row filled up with zeros."""
    padded = np.zeros((len(codes), -(-codes.shape[1] // 4) * 4), np.uint16)
    padded[:, : codes.shape[1]] = codes
    return padded.view(np.uint64)
