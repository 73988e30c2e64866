"""Blocks of one window's length, into which the rolling kernels cut time.

A window that ends in a block is a tail of the values before the block and a head of the block. So what is summed over
it is one running sum backward, kept for each row in `tails`, and one forward (van Herk and Gil-Werman). Block
``[begin, end)`` begins at a multiple of the window, whatever the length of the history.

Four blocks go side by side, one in each lane. Every sum is then a plain running sum from row to row: none waits for its
neighbour, and a block has the same bits whichever lane it is in, or alone. What is left of four is done block by block.

What is summed is a kernel's own business: it passes two functions that take lanes and floats alike.

- ``fold(values, constants, state, True)`` adds a row to a state, a tuple of sums, and returns the new one;
- ``finish(values, constants, inside, before, True)`` returns a row's result from the states of the head and the tail
  of its window, and a margin that is negative where the result is too uncertain.

Both are told whether the rows are `complete`, so that they need not look for missing values. Four blocks at once are;
single blocks, those with missing values among them, are treated as if they were not. Both ways do the same operations
in the same order on values that are there, so which one was gone cannot be seen in the result.
"""

from typing import Any

import numpy as np

from kernels.arrays import Floats
from kernels.compile import inlined, inner
from kernels.lane_rows import load_state, row_of, rows_of, store_apart, store_state, values_of
from kernels.lanes import WIDTH, Lanes, fill, less, prefetch, store, transposed

__all__ = ["four_blocks", "has_missing", "is_complete", "one_block", "tails_for"]

Row = Any
"""A value, or the lanes of four blocks, of each series."""

State = tuple[Any, ...]
"""Sums over rows: floats for one block, lanes for four."""


@inlined
def tails_for(parts: int, window: int) -> Floats:
    """Return room for the tails of four blocks, for a state of so many parts."""
    return np.empty((parts, WIDTH * (window + 1)))


@inner
def has_missing(x: Floats) -> bool:
    """Tell whether a value is NaN."""
    count = 0
    for k in range(x.size):
        count += x[k] != x[k]
    return count > 0


@inlined
def is_complete(x: Floats, begin: int, end: int, window: int, least: int) -> bool:
    """Tell whether blocks may be treated as if nothing were missing; so they may where missing values spoil windows."""
    return least == window or (begin > 0 and not has_missing(x[begin - window + 1 : end]))


@inlined
def four_blocks(
    fold: Any,
    finish: Any,
    series: tuple[Floats, ...],
    out: Floats,
    begin: int,
    window: int,
    constants: Any,
    zero: State,
    tails: Floats,
) -> Lanes:
    """Write the results of the four blocks from `begin` on, before which there is another; return the least margins."""
    whole = window - window % WIDTH
    b0, b1, b2, b3 = begin - window, begin, begin + window, begin + 2 * window
    state = zero
    store_state(tails, window, state)
    for k in range(window - 1, whole - 1, -1):
        state = fold(row_of(series, b0 + k, b1 + k, b2 + k, b3 + k), constants, state, True)
        store_state(tails, k, state)
    for k in range(whole - WIDTH, -WIDTH, -WIDTH):
        v0, v1, v2, v3 = rows_of(series, b0 + k, b1 + k, b2 + k, b3 + k)
        s3 = fold(v3, constants, state, True)
        s2 = fold(v2, constants, s3, True)
        s1 = fold(v1, constants, s2, True)
        state = fold(v0, constants, s1, True)
        store_state(tails, k + 3, s3)
        store_state(tails, k + 2, s2)
        store_state(tails, k + 1, s1)
        store_state(tails, k, state)
    b0, b1, b2, b3 = b1, b2, b3, b3 + window
    state, worst = zero, fill(0.0)
    for k in range(0, whole, WIDTH):
        for array in series:
            prefetch(array, b3 + window + WIDTH * k)
        v0, v1, v2, v3 = rows_of(series, b0 + k, b1 + k, b2 + k, b3 + k)
        s0 = fold(v0, constants, state, True)
        s1 = fold(v1, constants, s0, True)
        s2 = fold(v2, constants, s1, True)
        state = fold(v3, constants, s2, True)
        r0, m0 = finish(v0, constants, s0, load_state(tails, k + 1, zero), True)
        r1, m1 = finish(v1, constants, s1, load_state(tails, k + 2, zero), True)
        r2, m2 = finish(v2, constants, s2, load_state(tails, k + 3, zero), True)
        r3, m3 = finish(v3, constants, state, load_state(tails, k + 4, zero), True)
        worst = less(m0, less(m1, less(m2, less(m3, worst))))
        c0, c1, c2, c3 = transposed(r0, r1, r2, r3)
        store(out, b0 + k, c0)
        store(out, b1 + k, c1)
        store(out, b2 + k, c2)
        store(out, b3 + k, c3)
    for k in range(whole, window):
        values = row_of(series, b0 + k, b1 + k, b2 + k, b3 + k)
        state = fold(values, constants, state, True)
        result, margin = finish(values, constants, state, load_state(tails, k + 1, zero), True)
        worst = less(margin, worst)
        store_apart(out, b0 + k, b1 + k, b2 + k, b3 + k, result)
    return worst


@inlined
def one_block(
    fold: Any,
    finish: Any,
    series: tuple[Floats, ...],
    out: Floats,
    begin: int,
    end: int,
    window: int,
    least: int,
    constants: Any,
    zero: State,
    tails: Floats,
) -> float:
    """Write the results of one block, and their margins to ``tails[0]``; return the least margin."""
    state = zero
    store_state(tails, window, state)
    for k in range(window - 1, -1, -1):
        if begin > 0:
            state = fold(values_of(series, begin - window + k), constants, state, False)
        store_state(tails, k, state)
    state, worst = zero, 0.0
    without = min(least - 1, end) if begin == 0 else 0  # rows of a window that has too few
    for k in range(without):
        state = fold(values_of(series, k), constants, state, False)
        out[k], tails[0, k] = np.nan, 0.0
    for k in range(without, end - begin):
        values = values_of(series, begin + k)
        state = fold(values, constants, state, False)
        out[begin + k], margin = finish(values, constants, state, load_state(tails, k + 1, zero), False)
        tails[0, k] = margin
        worst = less(margin, worst)
    return worst
