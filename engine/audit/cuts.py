"""At which rows an audit cuts histories off: where a leak would show."""

import numpy as np
from numpy.typing import NDArray

from engine.audit.errors import AuditError
from engine.panel import Panel

__all__ = ["choose_cuts"]

Rows = NDArray[np.int64]


def choose_cuts(panel: Panel, states: Rows, count: int, random: np.random.Generator) -> Rows:
    """Choose rows of a panel, ascending.

    A quarter are the last rows of gaps, where a value filled in from later data shows; a quarter are rows before a
    change of the rule's state, where a signal that comes a day too early shows; the others are spread over the sample.

    Parameters
    ----------
    states
        State of the rule at each session of the sample, int64.
    count
        How many; fewer where the sample has not as many rows.

    Raises
    ------
    AuditError
        The sample has fewer than three sessions.
    """
    first, last = panel.start + 1, len(panel.dates) - 2  # a return needs two sessions, a future one
    if last < first:
        message = f"the sample holds {panel.sessions} sessions: an audit needs three at least; widen [sample]"
        raise AuditError(message)
    special = [
        _some(rows[(rows >= first) & (rows <= last)], count // 4, random)
        for rows in (_ends_of_gaps(panel), panel.start + np.flatnonzero(np.diff(states)))
    ]
    spread = count - sum(len(rows) for rows in special)
    edges = np.linspace(first, last + 1, max(spread, 1) + 1)
    anywhere = np.floor(random.uniform(edges[:-1], edges[1:])).astype(np.int64)
    return np.unique(np.concatenate([*special, anywhere]))


def _some(rows: Rows, count: int, random: np.random.Generator) -> Rows:
    return rows if len(rows) <= count else random.choice(rows, count, replace=False)


def _ends_of_gaps(panel: Panel) -> Rows:
    """Return the rows at which a series is missing that has a value in the next row."""
    ends = np.zeros(len(panel.dates) - 1, np.bool_)
    for values in panel.columns.values():
        missing = np.isnan(values)
        ends |= missing[:-1] & ~missing[1:]
    return np.flatnonzero(ends)
