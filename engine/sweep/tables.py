"""Tables: what depends on few parameters, computed once for each of their values and looked up by combination."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from engine.strategies import Condition, depends_on, read_condition
from engine.sweep.grid import Grid, GridError

__all__ = ["Table", "code_tables", "tabulate"]


LARGEST_TABLE = 1_000_000
"""Rows of a table that are still computed one by one."""

LARGEST_CODES = 1_000_000_000
"""Bytes of a table of conditions."""


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
        """Row numbers of combinations given by their position on each axis, int64 (combinations, axes)."""
        return digits @ self.strides

    def find(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        """Rows of combinations given by their position on each axis."""
        found: NDArray[Any] = self.rows[self.index(digits)]
        return found


def tabulate(grid: Grid, names: Sequence[str], evaluate: Callable[[dict[str, Any]], Any]) -> Table:
    """Evaluate something once for each distinct value of the parameters ``names``.

    Parameters
    ----------
    evaluate
        Called with all of ``names``, swept or fixed.

    Raises
    ------
    GridError
        There are too many of their values.
    """
    fixed = {name: getattr(grid.fixed, name) for name in names}
    _require_rows(grid, names, LARGEST_TABLE)
    values = _distinct_values(grid, names)
    return Table(np.stack([evaluate({**fixed, **row}) for row in values]), _strides(grid, names), values)


def code_tables(
    grid: Grid, panel: Panel, conditions: Sequence[Condition]
) -> tuple[NDArray[np.uint16], tuple[Table, ...], tuple[int, ...]]:
    """Read all conditions, and join those that depend on the same swept parameters into one row of codes.

    Returns
    -------
    codes
        uint16 (rows, sessions of the sample): bit k is set where condition k is met.
    tables
        A combination's code is the union of one row of each table; their rows are row numbers into ``codes``.
    bits
        The conditions of each table, as bits.
    """
    verdicts = [
        tabulate(grid, depends_on(condition.read), partial(_verdicts, condition, panel)) for condition in conditions
    ]
    swept = [frozenset(grid.axes).intersection(depends_on(condition.read)) for condition in conditions]
    codes: list[NDArray[np.uint16]] = []
    tables = []
    groups = _joined(swept)
    for axes, members in groups.items():
        _require_rows(grid, axes, LARGEST_CODES // (2 * panel.sessions))
        digits = _all_digits(grid, axes)
        joined = np.zeros((len(digits), panel.sessions), np.uint16)
        for k in members:
            joined |= verdicts[k].find(digits).astype(np.uint16) << np.uint16(k)
        offset = sum(len(part) for part in codes)
        codes.append(joined)
        tables.append(
            Table(np.arange(offset, offset + len(joined)), _strides(grid, axes), _distinct_values(grid, axes))
        )
    bits = tuple(sum(1 << k for k in members) for members in groups.values())
    return np.ascontiguousarray(np.concatenate(codes)), tuple(tables), bits


def _require_rows(grid: Grid, names: Sequence[str], most: int) -> None:
    """Refuse a table that would have more rows than there is room or time for."""
    swept = [name for name in grid.axes if name in names]
    rows = math.prod(len(grid.axes[name]) for name in swept)
    if rows > most:
        message = (
            f"{' and '.join(swept)} of {grid.name} have {rows:,} combinations of values that are looked up together, "
            f"and there is room for {most:,}: take larger steps in one of them"
        )
        raise GridError(message)


def _verdicts(condition: Condition, panel: Panel, values: Mapping[str, Any]) -> NDArray[np.bool_]:
    return read_condition(condition, panel, values).met[panel.start :]


def _joined(swept: Sequence[frozenset[str]]) -> dict[tuple[str, ...], list[int]]:
    """Assign each condition to a set of axes that contains its own, the largest sets first."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k in sorted(range(len(swept)), key=lambda k: (-len(swept[k]), k)):
        home = next((axes for axes in groups if swept[k] <= set(axes)), tuple(sorted(swept[k])))
        groups.setdefault(home, []).append(k)
    return groups


def _distinct_values(grid: Grid, names: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    swept = [name for name in grid.axes if name in names]
    return tuple(dict(zip(swept, row, strict=True)) for row in itertools.product(*(grid.axes[name] for name in swept)))


def _strides(grid: Grid, names: Sequence[str]) -> NDArray[np.int64]:
    strides = np.zeros(len(grid.axes), np.int64)
    step = 1
    for k, name in reversed(list(enumerate(grid.axes))):
        if name in names:
            strides[k] = step
            step *= len(grid.axes[name])
    return strides


def _all_digits(grid: Grid, names: Sequence[str]) -> NDArray[np.int64]:
    """Positions on all axes of the distinct values of ``names``, those of the others being 0."""
    lengths = [len(values) if name in names else 1 for name, values in grid.axes.items()]
    product = list(itertools.product(*(range(length) for length in lengths)))
    return np.array(product, np.int64).reshape(len(product), len(lengths))
