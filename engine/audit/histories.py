"""Other histories that agree with a panel up to a row: cut off there, or with another future; and panels with gaps.

Row t of a column ``@next_morning`` holds what is known before session t+1 opens. It is therefore kept with row t.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel

__all__ = ["truncated", "with_holes", "with_noise_after"]

Floats = NDArray[np.float64]

NOISE = 0.25
"""Standard deviation of the logarithm of the factor between a value of the noise and the value it is drawn from."""

BLANKS = 0.05
"""Share of the noise that is missing, in series that may have gaps."""

LONGEST_HOLE = 10
"""Rows of the longest hole."""


def truncated(panel: Panel, row: int) -> Panel:
    """Return the panel as it was at the close of ``row``: that row is the last one."""
    columns = {name: values[: row + 1] for name, values in panel.columns.items()}
    return _with(panel, columns, rows=row + 1)


def with_noise_after(panel: Panel, row: int, random: np.random.Generator, *, complete: Collection[str]) -> Panel:
    """Return a panel with the same rows up to ``row``, and after it values that have nothing to do with the real ones.

    Each value is drawn from all of its series, whatever their order, and multiplied by a random factor, so that it has
    the sign and the size that a strategy may rely on.

    Parameters
    ----------
    complete
        Series without gaps in the noise: those that are traded.
    """
    columns = {}
    for name, values in panel.columns.items():
        known = values[~np.isnan(values)]
        changed = values.copy()
        if known.size:
            count = len(values) - row - 1
            noise = random.choice(known, count) * np.exp(NOISE * random.standard_normal(count))
            if name not in complete:
                noise[random.random(count) < BLANKS] = np.nan
            changed[row + 1 :] = noise
        columns[name] = changed
    return _with(panel, columns)


def with_holes(
    panel: Panel, count: int, random: np.random.Generator, *, complete: Collection[str]
) -> tuple[Panel, NDArray[np.int64]]:
    """Return a panel in which stretches of values are missing, and the first row of each, ascending.

    A value that is filled in from later data shows itself only where something is missing.

    Parameters
    ----------
    count
        Number of holes in each series, after its first value.
    complete
        Series that keep all their values: those that are traded.
    """
    columns, starts = {}, set()
    for name, values in panel.columns.items():
        changed = values.copy()
        known = np.flatnonzero(~np.isnan(values))
        if known.size > 1 and name not in complete:
            for start in random.choice(known[1:], min(count, known.size - 1), replace=False).tolist():
                changed[start : start + random.integers(1, LONGEST_HOLE + 1)] = np.nan
                starts.add(start)
        columns[name] = changed
    return _with(panel, columns), np.array(sorted(starts), np.int64)


def _with(panel: Panel, columns: Mapping[str, Floats], *, rows: int | None = None) -> Panel:
    """Return a panel of other columns that has computed nothing yet."""
    for values in columns.values():
        values.flags.writeable = False
    return Panel(
        dates=panel.dates[:rows],
        columns=MappingProxyType(dict(columns)),
        start=panel.start,
        as_of=panel.as_of,
        seen_at=panel.seen_at,
        simulated=panel.simulated,
    )
