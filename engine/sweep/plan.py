"""From a grid and a panel to tables: everything that depends on few parameters, computed once for each distinct value.

A combination is then a handful of row numbers, which follow from its own number by integer arithmetic. A grid of any
size therefore costs no more memory than its tables.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import Panel, load_panel
from engine.strategies import depends_on
from engine.strategies.strategy import evaluate_signal
from engine.sweep.grid import Grid, GridError
from parquet_store import Store

__all__ = ["BUY_AND_HOLD", "Market", "Plan", "Rows", "Table", "make_plan", "plan_from_panel"]


BUY_AND_HOLD = "SPY"
"""The series every sweep is compared with, where the store holds it."""


@dataclass(frozen=True)
class Table:
    """One row for each distinct value of the parameters that something depends on.

    Attributes
    ----------
    rows
        Array whose first axis runs over the distinct values, in the order of the grid.
    strides
        int64 (axes of the grid,): what one step along an axis adds to the row number; 0 where nothing depends on it.
    values
        The swept parameters of each row, those that it depends on.
    """

    rows: NDArray[Any]
    strides: NDArray[np.int64]
    values: tuple[Mapping[str, Any], ...]

    def index(self, digits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row numbers of combinations given by their position on each axis, shape (combinations, axes)."""
        return digits @ self.strides


@dataclass(frozen=True)
class Market:
    """What a position needs to be valued.

    Attributes
    ----------
    dates
        Sessions of the sample, ``datetime64[D]``.
    legs
        Names of the traded series.
    prices
        Their total-return closes, float64 (sessions, legs), C-ordered, without gaps.
    weights
        Target weights by distinct parameter values, float64 (rows, postures, legs).
    cost_rate
        Cost as a fraction of traded notional.
    """

    dates: NDArray[np.datetime64]
    legs: tuple[str, ...]
    prices: NDArray[np.float64]
    weights: NDArray[np.float64]
    cost_rate: float


@dataclass(frozen=True)
class Rows:
    """Where a block of combinations finds what belongs to it.

    Attributes
    ----------
    codes
        int64 (combinations, signals), row numbers into ``Plan.codes``.
    knobs
        float64 (combinations, numbers of the rule).
    weights
        int64 (combinations,), row numbers into ``Market.weights``.
    daily
        bool (combinations,): rebalanced at every close.
    """

    codes: NDArray[np.int64]
    knobs: NDArray[np.float64]
    weights: NDArray[np.int64]
    daily: NDArray[np.bool_]


@dataclass(frozen=True)
class Plan:
    """A grid made ready for evaluation.

    Attributes
    ----------
    grid, panel
        What it was made from.
    market
        The traded side.
    codes
        Conditions met at each close, uint16 (rows, sessions): the distinct rows of all signals, one signal after
        another.
    signals
        For each signal, a table of row numbers into ``codes``.
    knobs, weights, daily, feasible, hindsight
        Numbers of the rule, row numbers into ``market.weights``, whether to rebalance daily, whether the combination
        has a meaning, and what it owes to hindsight (an empty string where nothing).
    """

    grid: Grid
    panel: Panel
    market: Market
    codes: NDArray[np.uint16]
    signals: tuple[Table, ...]
    knobs: Table
    weights: Table
    daily: Table
    feasible: Table
    hindsight: Table

    def digits(self, combinations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position on each axis of the grid, int64 (combinations, axes)."""
        if not self.grid.axes:
            return np.zeros((len(combinations), 0), np.int64)
        return np.stack(np.unravel_index(combinations, self.grid.shape), axis=1).astype(np.int64)

    def is_feasible(self, combinations: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which combinations have a meaning."""
        found: NDArray[np.bool_] = self.feasible.rows[self.feasible.index(self.digits(combinations))]
        return found

    def has_hindsight(self, combinations: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which combinations owe something to hindsight."""
        found: NDArray[np.bool_] = self.hindsight.rows[self.hindsight.index(self.digits(combinations))] != ""
        return found

    def rows(self, combinations: NDArray[np.int64]) -> Rows:
        """Look up what belongs to each combination."""
        digits = self.digits(combinations)
        return Rows(
            codes=np.stack([table.rows[table.index(digits)] for table in self.signals], axis=1),
            knobs=self.knobs.rows[self.knobs.index(digits)],
            weights=self.weights.rows[self.weights.index(digits)],
            daily=self.daily.rows[self.daily.index(digits)],
        )

    def parameters(self, combinations: NDArray[np.int64]) -> pl.DataFrame:
        """Return the swept parameters of each combination, one column an axis."""
        digits = self.digits(combinations)
        return pl.DataFrame(
            {name: pl.Series(values).gather(digits[:, k]) for k, (name, values) in enumerate(self.grid.axes.items())}
        )


def make_plan(store: Store, grid: Grid, *, as_of: datetime | None = None) -> Plan:
    """Load what the grid's strategy needs from the store and compute its tables.

    Raises
    ------
    PanelError
        A series is missing or has gaps, or the sample holds no session.
    GridError
        The grid sweeps a combination of parameters without any meaning, or a table would be too large.
    """
    strategy = grid.strategy
    panel = load_panel(
        store, strategy.series, grid.sample, complete=strategy.legs, optional=(BUY_AND_HOLD,), as_of=as_of
    )
    return plan_from_panel(panel, grid)


def plan_from_panel(panel: Panel, grid: Grid) -> Plan:
    """Compute the tables of a grid over a panel; see `make_plan`."""
    strategy = grid.strategy
    if panel.sessions < 2:
        message = f"the sample of {grid.name} holds {panel.sessions} session: a return needs two; widen [sample]"
        raise GridError(message)
    codes: list[NDArray[np.uint16]] = []
    signals = []
    for signal in strategy.signals:
        offset = sum(len(part) for part in codes)
        table = _tabulate(grid, depends_on(signal), partial(evaluate_signal, signal, panel))
        codes.append(table.rows)
        signals.append(replace(table, rows=np.arange(offset, offset + len(table.rows))))
    weights = _tabulate(grid, depends_on(strategy.target_weights), _call(strategy.target_weights))
    plan = Plan(
        grid=grid,
        panel=panel,
        market=Market(
            dates=panel.sample_dates,
            legs=strategy.legs,
            prices=panel.matrix(strategy.legs),
            weights=np.ascontiguousarray(weights.rows),
            cost_rate=grid.costs.rate,
        ),
        codes=np.ascontiguousarray(np.concatenate(codes)),
        signals=tuple(signals),
        knobs=_tabulate(grid, strategy.rule._fields, partial(_rule_numbers, strategy.rule._fields)),
        weights=replace(weights, rows=np.arange(len(weights.rows))),
        daily=_tabulate(grid, ("rebalance",), lambda values: np.bool_(values["rebalance"] == "daily")),
        feasible=_optional_table(grid, strategy.feasible, np.bool_(True)),
        hindsight=_optional_table(grid, strategy.hindsight, ""),
    )
    if not plan.feasible.rows.any():
        message = f"no combination of {grid.name} has a meaning: {', '.join(grid.axes)} exclude one another"
        raise GridError(message)
    return plan


def _rule_numbers(names: Sequence[str], values: Mapping[str, Any]) -> NDArray[np.float64]:
    return np.array([float(values[name]) for name in names])


def _call(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda values: function(**values)


def _optional_table(grid: Grid, function: Callable[..., Any] | None, absent: Any) -> Table:
    """Tabulate a function that a strategy may leave out, or return nothing from."""
    if function is None:
        return _tabulate(grid, (), lambda _: absent)
    return _tabulate(grid, depends_on(function), lambda values: function(**values) or type(absent)())


def _tabulate(grid: Grid, names: Sequence[str], evaluate: Callable[[dict[str, Any]], Any]) -> Table:
    """Evaluate something once for each distinct value of the parameters ``names``."""
    fixed = {name: getattr(grid.fixed, name) for name in names}
    swept = [name for name in grid.axes if name in names]
    product = itertools.product(*(grid.axes[name] for name in swept))
    values = tuple(dict(zip(swept, row, strict=True)) for row in product)
    strides = np.zeros(len(grid.axes), np.int64)
    step = 1
    for k, name in reversed(list(enumerate(grid.axes))):
        if name in names:
            strides[k] = step
            step *= len(grid.axes[name])
    return Table(np.stack([evaluate({**fixed, **row}) for row in values]), strides, values)
