"""Audit a strategy for look-ahead: compute everything again on histories that differ only in what comes later.

If a strategy is causal, what it says of the rows up to t is the same, bit for bit, whether the history ends at t, goes
on as it did, or goes on as noise. The same is asked of a panel with holes, in which a value filled in from later data
shows itself.

What no such test can find is knowledge of the past written into the code: a list of dates, a threshold chosen by its
result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl

from engine.audit.computation import KINDS, Computation, Difference, Kind, compute, first_differences
from engine.audit.cuts import choose_cuts
from engine.audit.errors import AuditError
from engine.audit.fill_delays import fill_delays
from engine.audit.histories import truncated, with_holes, with_noise_after
from engine.panel import Panel
from engine.sweep import Grid, plan_from_panel, strategy_panel
from parquet_store import Store

__all__ = ["DEFAULT_CUTS", "Audit", "Checked", "History", "Leak", "audit", "audit_panel", "find_leaks"]

DEFAULT_CUTS = 60

HOLES = 4
"""Holes in each series that may have them."""

History = Literal["cut off", "noise", "cut off, with holes"]
"""How the other history differs after the last session that both have in common; holes are in both."""


@dataclass(frozen=True)
class Checked:
    """What was computed again.

    Attributes
    ----------
    combinations
        Parameters that differ from the defaults, one mapping a combination.
    conditions, layers
        Conditions of the strategy, and what was compared in all: values, thresholds, verdicts, numbers of the rule,
        target weights, codes, states, held returns, positions, returns.
    histories
        Number of other histories of each kind, over all combinations.
    entries
        Single entries compared, over all histories.
    """

    combinations: tuple[Mapping[str, Any], ...]
    conditions: int
    layers: int
    histories: Mapping[History, int]
    entries: int


@dataclass(frozen=True)
class Leak:
    """Something that depends on what came later.

    Attributes
    ----------
    kind, name
        What is computed, and of which condition, parameter or leg; the name is empty where there is only one.
    day
        The first session that it says something else of.
    cut
        The last session that the two histories have in common.
    history
        How the other one goes on.
    before, after
        What it says on the whole history, and on the other one.
    combination
        Number of the combination in `Checked`.
    """

    kind: Kind
    name: str
    day: date
    cut: date
    history: History
    before: float
    after: float
    combination: int


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes
    ----------
    strategy, title
        What was audited.
    first, last, sessions
        The sample.
    as_of, seen_at, simulated
        As in `engine.panel.Panel`.
    checked
        What was computed again.
    leaks
        One for each thing that leaks, the earliest day first and on a day what is computed first; empty if none does.
    delays
        Metrics of the first combination by fill, see `engine.audit.fill_delays`.
    notes
        Sentences that must stand beside these metrics.
    """

    strategy: str
    title: str
    first: date
    last: date
    sessions: int
    as_of: datetime | None
    seen_at: datetime | None
    simulated: bool
    checked: Checked
    leaks: tuple[Leak, ...]
    delays: pl.DataFrame
    notes: tuple[str, ...]


def audit(
    store: Store, grids: Sequence[Grid], *, cuts: int = DEFAULT_CUTS, seed: int = 0, as_of: datetime | None = None
) -> Audit:
    """Audit combinations of one strategy on the data of a store; see `audit_panel`.

    Raises
    ------
    PanelError
        A series is missing or has gaps, or the sample holds no session.
    """
    panel = strategy_panel(store, grids[0].strategy, grids[0].sample, as_of=as_of)
    return audit_panel(panel, grids, cuts=cuts, seed=seed)


def audit_panel(panel: Panel, grids: Sequence[Grid], *, cuts: int = DEFAULT_CUTS, seed: int = 0) -> Audit:
    """Audit combinations of one strategy on a panel; see `find_leaks`, to which this adds the fills."""
    checked, leaks = find_leaks(panel, grids, cuts=cuts, seed=seed)
    plan = plan_from_panel(panel, grids[0])
    return Audit(
        strategy=grids[0].strategy.name,
        title=grids[0].strategy.title,
        first=panel.sample_dates[0].item(),
        last=panel.sample_dates[-1].item(),
        sessions=panel.sessions,
        as_of=panel.as_of,
        seen_at=panel.seen_at,
        simulated=panel.simulated,
        checked=checked,
        leaks=leaks,
        delays=fill_delays(plan),
        notes=plan.said(),
    )


def find_leaks(
    panel: Panel, grids: Sequence[Grid], *, cuts: int = DEFAULT_CUTS, seed: int = 0
) -> tuple[Checked, tuple[Leak, ...]]:
    """Compute combinations of one strategy again on other histories, and compare.

    Parameters
    ----------
    panel
        Holds the series of the strategy.
    grids
        Grids of one combination each, of one strategy and sample, at least one; see `audited_combinations`. The first
        combination that leaks ends the search.
    cuts
        Rows at which histories are cut off, for each combination.
    seed
        Of the rows, the noise and the holes.

    Returns
    -------
    What was compared, and what leaks, as in `Audit`.

    Raises
    ------
    AuditError
        The sample has fewer than three sessions, or the strategy fails on one of the other histories.
    """
    random = np.random.default_rng(seed)
    leaks: dict[tuple[str, str], Leak] = {}
    histories: dict[History, int] = {"cut off": 0, "noise": 0, "cut off, with holes": 0}
    entries = layers = audited = 0
    for number, grid in enumerate(grids):
        for row, history, whole, other in _recomputed(panel, grid, cuts, random):
            histories[history] += 1
            layers = len(whole.layers)
            entries += sum(row + 1 - layer.start for layer in whole.layers)
            for difference in first_differences(whole, other, row):
                leak = _leak(panel, difference, row, history, number)
                known = leaks.setdefault((leak.kind, leak.name), leak)
                if leak.day < known.day:
                    leaks[leak.kind, leak.name] = leak
        audited += 1
        if leaks:
            break
    checked = Checked(
        combinations=tuple(_differing_parameters(grid) for grid in grids[:audited]),
        conditions=len(grids[0].strategy.conditions),
        layers=layers,
        histories=histories,
        entries=entries,
    )
    return checked, tuple(sorted(leaks.values(), key=_order))


def _recomputed(
    panel: Panel, grid: Grid, cuts: int, random: np.random.Generator
) -> Iterator[tuple[int, History, Computation, Computation]]:
    """Compute one combination on the whole panel and on other histories; yields the last row in common, and both."""
    legs = grid.strategy.legs
    whole = compute(panel, grid)
    for row in choose_cuts(panel, whole.trace.states, cuts, random).tolist():
        yield row, "cut off", whole, _compute_up_to(row, truncated(panel, row), grid)
        yield row, "noise", whole, _compute_up_to(row, with_noise_after(panel, row, random, complete=legs), grid)
    holed, holes = with_holes(panel, HOLES, random, complete=legs)
    whole = compute(holed, grid)
    for row in holes[(holes > panel.start) & (holes < len(panel.dates) - 1)].tolist():
        yield row, "cut off, with holes", whole, _compute_up_to(row, truncated(holed, row), grid)


def _compute_up_to(row: int, panel: Panel, grid: Grid) -> Computation:
    try:
        return compute(panel, grid)
    except Exception as error:
        message = (
            f"{grid.strategy.name} cannot be computed on the history up to {panel.dates[row]}: "
            f"{type(error).__name__}: {error}; a strategy must bear any beginning of its data"
        )
        raise AuditError(message) from error


def _leak(panel: Panel, difference: Difference, row: int, history: History, combination: int) -> Leak:
    return Leak(
        kind=difference.kind,
        name=difference.name,
        day=panel.dates[difference.row].item(),
        cut=panel.dates[row].item(),
        history=history,
        before=difference.before,
        after=difference.after,
        combination=combination,
    )


def _order(leak: Leak) -> tuple[date, int, str]:
    return leak.day, KINDS.index(leak.kind), leak.name


def _differing_parameters(grid: Grid) -> dict[str, Any]:
    """Return the parameters of a combination that are not the strategy's defaults."""
    defaults = grid.strategy.parameters().model_dump(mode="json")
    return {name: value for name, value in grid.fixed.model_dump(mode="json").items() if value != defaults[name]}
