"""Falls of a market from its high: where each begins, where its bottom is, and when it has been made good.

All three are known afterwards only. They describe a history; nothing that looks at them can be traded.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fall", "bottom_after", "falls", "within_falls"]

Floats = NDArray[np.float64]


class Fall(NamedTuple):
    """One fall, by rows.

    Attributes
    ----------
    high
        Last row at the highest close so far.
    bottom
        Row of the lowest close before the high is reached again, the first of several.
    recovery
        First row at or above the high; None if the closes end before.
    depth
        Close at the bottom over close at the high, minus 1.
    """

    high: int
    bottom: int
    recovery: int | None
    depth: float


def falls(closes: Floats, depth: float) -> list[Fall]:
    """Find all falls that are at least as deep as `depth`, in time's order.

    Parameters
    ----------
    closes
        float64 (rows,), without NaN.
    depth
        Negative fraction: -0.1 for falls of a tenth or more.
    """
    below = np.concatenate(([False], closes < np.maximum.accumulate(closes), [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    found = []
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        high, bottom = int(begin) - 1, int(begin + np.argmin(closes[begin:end]))
        fall = Fall(high, bottom, int(end) if end < len(closes) else None, float(closes[bottom] / closes[high] - 1.0))
        if fall.depth <= depth:
            found.append(fall)
    return found


def bottom_after(closes: Floats, row: int) -> Fall:
    """Return the fall that is under way at `row`: its bottom from there on, against the high of the rows so far.

    A row that is itself at the high is its own bottom, and the recovery is the first later row at or above it.
    """
    high = int(np.flatnonzero(closes[: row + 1] == closes[: row + 1].max())[-1])
    again = np.flatnonzero(closes[row + 1 :] >= closes[high])
    recovery = row + 1 + int(again[0]) if again.size else None
    end = len(closes) if recovery is None else recovery
    bottom = row + int(np.argmin(closes[row:end]))
    return Fall(high, bottom, recovery, float(closes[bottom] / closes[high] - 1.0))


def within_falls(found: list[Fall], rows: int) -> NDArray[np.bool_]:
    """Tell which rows lie between the high of a fall and its bottom, the bottom included, the high not."""
    inside = np.zeros(rows, np.bool_)
    for fall in found:
        inside[fall.high + 1 : fall.bottom + 1] = True
    return inside
