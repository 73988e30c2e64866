"""Blocks of one window's length, into which the rolling kernels cut time.

Block ``[begin, end)`` holds the last rows of its windows; `begin` is a multiple of the window, whatever the length of
the history. Vectors of `WIDTH` values may reach past both ends of what a block needs. Surplus lanes never flow into
the others, and what they write the next block overwrites. Where the array ends there, the block is worked on in a
padded copy.
"""

from kernels.arrays import Floats
from kernels.compile import jit
from kernels.lanes import WIDTH

__all__ = ["copy_around", "has_missing", "has_room", "is_complete"]


@jit
def has_room(begin: int, end: int, stop: int, window: int) -> bool:
    """Tell whether vectors of this block may reach past its ends: back from its windows, and forward up to `stop`."""
    return begin - window - WIDTH >= 0 and end + WIDTH <= stop


@jit
def copy_around(x: Floats, begin: int, end: int, window: int, copy: Floats) -> int:
    """Copy what a block's windows hold, with room on both sides; return where the block's first row has gone."""
    first_row = window + WIDTH
    before = min(begin, window - 1)
    copy[first_row - before : first_row + end - begin] = x[begin - before : end]
    return first_row


@jit
def has_missing(x: Floats) -> bool:
    """Tell whether a value is NaN."""
    count = 0
    for k in range(x.size):
        count += x[k] != x[k]
    return count > 0


@jit
def is_complete(x: Floats, begin: int, end: int, window: int, least: int) -> bool:
    """Tell whether a block may be treated as if nothing were missing; so it may where missing values spoil windows."""
    return least == window or (begin > 0 and not has_missing(x[begin - window + 1 : end]))
