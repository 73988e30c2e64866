"""From a grid and a panel to tables: everything that depends on few parameters, computed once for each distinct value.

A combination is then a handful of row numbers, which follow from its own number by integer arithmetic. A grid of any
size therefore costs no more memory than its tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import Panel, Sample, load_panel
from engine.strategies import Strategy, choices, depends_on
from engine.sweep.grid import Grid, GridError
from engine.sweep.tables import Table, code_tables, tabulate
from parquet_store import Store

if TYPE_CHECKING:
    import duckdb

__all__ = ["BUY_AND_HOLD", "Market", "Plan", "Rows", "make_plan", "plan_from_panel", "strategy_panel"]


BUY_AND_HOLD = "SPY"
"""The series every sweep is compared with, where the store holds it."""


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
        int64 (combinations, code tables), row numbers into ``Plan.codes``.
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
        Conditions met at each close, uint16 (rows, sessions), bit k standing for condition k.
    code_tables
        Tables of row numbers into ``codes``; a combination's code is the union of one row of each.
    code_bits
        The conditions that each of these tables speaks of, as bits.
    knobs, weights, daily, feasible, notes, hindsight
        Numbers of the rule, row numbers into ``market.weights``, whether to rebalance daily, whether the combination
        has a meaning, what must be said of it, and what it owes to hindsight (empty strings where nothing).
    """

    grid: Grid
    panel: Panel
    market: Market
    codes: NDArray[np.uint16]
    code_tables: tuple[Table, ...]
    code_bits: tuple[int, ...]
    knobs: Table
    weights: Table
    daily: Table
    feasible: Table
    notes: Table
    hindsight: Table

    def digits(self, combinations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position on each axis of the grid, int64 (combinations, axes)."""
        if not self.grid.axes:
            return np.zeros((len(combinations), 0), np.int64)
        return np.stack(np.unravel_index(combinations, self.grid.shape), axis=1).astype(np.int64)

    def is_feasible(self, combinations: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which combinations have a meaning."""
        return self.feasible.find(self.digits(combinations))

    @property
    def feasible_count(self) -> int:
        """How many combinations have a meaning; each row of a table stands for equally many."""
        return int(self.feasible.rows.sum()) * (self.grid.size // len(self.feasible.rows))

    def has_hindsight(self, combinations: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which combinations owe something to hindsight."""
        owes = replace(self.hindsight, rows=self.hindsight.rows != "")
        found: NDArray[np.bool_] = owes.find(self.digits(combinations))
        return found

    def said(self) -> tuple[str, ...]:
        """Sentences that must stand beside results of the grid: what strategies note, and what is owed to hindsight."""
        texts = (str(text) for table in (self.notes, self.hindsight) for text in table.rows.tolist())
        return tuple(dict.fromkeys(text for text in texts if text))

    def rows(self, combinations: NDArray[np.int64]) -> Rows:
        """Look up what belongs to each combination."""
        return self.rows_at(self.digits(combinations))

    def rows_at(self, digits: NDArray[np.int64]) -> Rows:
        """Look up what belongs to combinations given by their position on each axis."""
        return Rows(
            codes=np.stack([table.find(digits) for table in self.code_tables], axis=1),
            knobs=self.knobs.find(digits),
            weights=self.weights.find(digits),
            daily=self.daily.find(digits),
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
    return plan_from_panel(strategy_panel(store, grid.strategy, grid.sample, as_of=as_of), grid)


def strategy_panel(
    store: Store,
    strategy: Strategy,
    sample: Sample,
    *,
    as_of: datetime | None = None,
    connection: "duckdb.DuckDBPyConnection | None" = None,
) -> Panel:
    """Load every series that a strategy reads or trades, and the series it is compared with; see `load_panel`.

    Raises
    ------
    PanelError
        A series is missing or has gaps, or the sample holds no session.
    """
    optional = (BUY_AND_HOLD, *strategy.optional_inputs)
    return load_panel(
        store,
        strategy.series,
        sample,
        complete=strategy.legs,
        optional=optional,
        as_of=as_of,
        connection=connection,
    )


def plan_from_panel(panel: Panel, grid: Grid) -> Plan:
    """Compute the tables of a grid over a panel; see `make_plan`."""
    strategy = grid.strategy
    if panel.sessions < 2:
        message = f"the sample of {grid.name} holds {panel.sessions} session: a return needs two; widen [sample]"
        raise GridError(message)
    codes, tables, bits = code_tables(grid, panel, strategy.conditions)
    weights = tabulate(grid, depends_on(strategy.target_weights), _call(strategy.target_weights))
    if weights.rows[:, 0].any():
        message = f"strategy {strategy.name} must hold nothing in posture 0, which comes before its first decision"
        raise ValueError(message)
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
        codes=codes,
        code_tables=tables,
        code_bits=bits,
        knobs=tabulate(grid, strategy.rule._fields, partial(_rule_numbers, strategy)),
        weights=replace(weights, rows=np.arange(len(weights.rows))),
        daily=tabulate(grid, ("rebalance",), lambda values: np.bool_(values["rebalance"] == "daily")),
        feasible=_optional_table(grid, strategy.feasible, np.bool_(True)),
        notes=_optional_table(grid, partial(strategy.notes, panel) if strategy.notes else None, ""),
        hindsight=_optional_table(grid, strategy.hindsight, ""),
    )
    if not plan.feasible.rows.any():
        message = f"no combination of {grid.name} has a meaning: {', '.join(grid.axes)} exclude one another"
        raise GridError(message)
    return plan


def _rule_numbers(strategy: Strategy, values: Mapping[str, Any]) -> NDArray[np.float64]:
    """Numbers that the rule reads; a word becomes its place among the words that its parameter may take."""
    words = {name: choices(strategy.parameters, name) for name in strategy.rule._fields}
    return np.array([float(words[name].index(values[name]) if words[name] else values[name]) for name in words])


def _call(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda values: function(**values)


def _optional_table(grid: Grid, function: Callable[..., Any] | None, absent: Any) -> Table:
    """Tabulate a function that a strategy may leave out, or return nothing from."""
    if function is None:
        return tabulate(grid, (), lambda _: absent)
    return tabulate(grid, depends_on(function), lambda values: function(**values) or type(absent)())
