"""Which combinations of a strategy an audit looks at: its defaults, and a handful out of its grid."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.audit.errors import AuditError
from engine.describe import shipped_grid
from engine.panel import Sample
from engine.strategies import find_strategy
from engine.sweep import Costs, Grid, GridError, grid_of_one

__all__ = ["audited_combinations"]

FROM_GRID = 5
"""Combinations drawn from a grid."""

TRIES = 1000
"""Draws after which a grid is taken to hold no more combinations with a meaning."""


def audited_combinations(
    name: str, *, grid: Grid | None = None, values: Mapping[str, Any] | None = None, seed: int = 0
) -> tuple[Grid, ...]:
    """Return grids of one combination each, all with the sample and the costs of the strategy's grid.

    Parameters
    ----------
    name
        The strategy.
    grid
        Take its fixed parameters instead of the defaults, and the handful out of its axes; else the shipped grid's.
    values
        Take these instead of the defaults, and no others.
    seed
        Of the draws.

    Raises
    ------
    AuditError
        The grid is another strategy's, both grid and values are given, or no combination has a meaning.
    EngineError
        The strategy or a parameter is unknown, or the parameters have no meaning together.
    """
    strategy = find_strategy(name)
    if grid is not None and grid.strategy.name != name:
        message = f"the grid {grid.name} sweeps {grid.strategy.name}, not {name}: audit that, or give another grid"
        raise AuditError(message)
    if grid is not None and values:
        message = "give parameters by --grid or by --set, not by both"
        raise AuditError(message)
    described = grid or shipped_grid(name) or grid_of_one(strategy, {}, sample=Sample(), costs=Costs())
    if values:
        return (grid_of_one(strategy, values, sample=described.sample, costs=described.costs),)
    first = {} if grid is None else described.fixed.model_dump()
    candidates = [first, *_drawn(described, seed)]
    chosen = tuple(_with_meaning(described, candidates))
    if not chosen:
        message = f"no combination of {described.name} has a meaning: {', '.join(described.axes)} exclude one another"
        raise AuditError(message)
    return chosen


def _drawn(grid: Grid, seed: int) -> Iterator[dict[str, Any]]:
    """Draw combinations of a grid, each at most once, until there are enough."""
    random = np.random.default_rng(seed)
    seen: set[int] = set()
    for _ in range(TRIES if grid.axes else 0):
        combination = int(random.integers(grid.size))
        if combination in seen:
            continue
        seen.add(combination)
        digits = np.unravel_index(combination, grid.shape)
        swept = {name: values[digit] for (name, values), digit in zip(grid.axes.items(), digits, strict=True)}
        yield {**grid.fixed.model_dump(), **swept}


def _with_meaning(grid: Grid, candidates: list[dict[str, Any]]) -> Iterator[Grid]:
    found = 0
    for values in candidates:
        try:
            one = grid_of_one(grid.strategy, values, sample=grid.sample, costs=grid.costs, where=grid.name)
        except GridError:  # the strategy excludes it
            continue
        yield one
        found += 1
        if found > FROM_GRID:
            return
