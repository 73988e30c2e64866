"""Compiled code of the rolling ranks and quantiles, one block at a time. `kernels.ranks` says how and why."""

import numpy as np

from kernels.arrays import Floats, Integers
from kernels.bits import (
    Words,
    add_bit,
    count_words,
    move_count,
    ones_before,
    place_after,
    place_before,
    place_of,
    remove_bit,
)
from kernels.compile import inlined, inner, jit

__all__ = ["order_statistics"]

MISSING = -1
NOWHERE = 1 << 62
"""After every place."""


@jit
def order_statistics(
    x: Floats,
    order: Integers,
    origin: int,
    results: Floats,
    start: int,
    stop: int,
    window: int,
    least: int,
    levels: Floats,
) -> None:
    """Write quantiles at `levels`, and the rank if there is a row for it, to ``results[:, start:stop]``.

    ``order[i - origin : ...]`` sorts the block that begins at row ``i``, missing values last.
    """
    values = np.empty(2 * window)
    both = np.empty(2 * window, np.int64)
    firsts, ends = np.empty(2 * window, np.int64), np.empty(2 * window, np.int64)
    words = np.empty((2 * window + 63) // 64, np.uint64)
    for begin in range(start, stop, window):
        end = min(begin + window, stop)
        before = max(begin - window, 0)
        older, newer = x[before:begin], x[begin:end]
        older_order, newer_order = order[before - origin : begin - origin], order[begin - origin : end - origin]
        size = _merge(older, newer, older_order, newer_order, both[: end - before], values)
        leaving, places = both[: older.size], both[older.size : end - before]
        words[:] = np.uint64(0)
        for place in leaving:
            if place != MISSING:
                add_bit(words, place)
        used = words[: (size + 63) // 64]
        target = results[:, begin:end]
        if levels.size > 0:
            _quantiles(used.copy(), leaving, places, values, levels, least, target)
        if levels.size < len(results):
            tied = _tie_groups(values[:size], firsts[:size], ends[:size])
            _ranks(used, leaving, places, firsts[:size], ends[:size], tied, least, target[levels.size])


@inner
def _merge(
    older: Floats, newer: Floats, older_order: Integers, newer_order: Integers, places: Integers, values: Floats
) -> int:
    """Give every present value of two sorted blocks its place in their common order; return how many there are.

    The lower half is merged from the bottom and the upper half from the top, in step and without branches on the
    values, so that the two chains of dependent comparisons overlap.
    """
    n, m = _present(older, older_order), _present(newer, newer_order)
    low, high = np.empty(n + 2), np.empty(m + 2)  # a value before the first and one after the last, never taken
    rows_low, rows_high = np.empty(n + 2, np.int64), np.empty(m + 2, np.int64)
    for k in range(n):
        low[k + 1] = older[older_order[k]]
        rows_low[k + 1] = older_order[k]
    for k in range(m):
        high[k + 1] = newer[newer_order[k]]
        rows_high[k + 1] = newer_order[k] + older.size
    rows = np.empty(n + m, np.int64)
    i = j = 1
    p, q = n, m
    half = (n + m) // 2
    for step in range(half):
        from_low = (j > m) | ((i <= n) & (low[i] <= high[j]))
        rows[step] = rows_low[i] if from_low else rows_high[j]
        values[step] = low[i] if from_low else high[j]
        i += from_low
        j += not from_low
        from_high = (p < 1) | ((q >= 1) & (low[p] <= high[q]))
        top = n + m - 1 - step
        rows[top] = rows_high[q] if from_high else rows_low[p]
        values[top] = high[q] if from_high else low[p]
        q -= from_high
        p -= not from_high
    if 2 * half < n + m:
        rows[half] = rows_low[i] if i <= p else rows_high[j]
        values[half] = low[i] if i <= p else high[j]
    places[:] = MISSING
    for place in range(n + m):
        places[rows[place]] = place
    return n + m


@inner
def _present(x: Floats, order: Integers) -> int:
    """Return how many values are not missing, given their order with the missing ones last."""
    n = x.size
    while n > 0 and x[order[n - 1]] != x[order[n - 1]]:
        n -= 1
    return n


@inner
def _tie_groups(values: Floats, firsts: Integers, ends: Integers) -> bool:
    """Write the first place whose value equals that of each place, and the place after the last; tell of ties."""
    tied = False
    for k in range(values.size):
        same = k > 0 and values[k] == values[k - 1]
        firsts[k] = firsts[k - 1] if same else k
        tied |= same
    for k in range(values.size - 1, -1, -1):
        last = k + 1 == values.size or firsts[k + 1] != firsts[k]
        ends[k] = k + 1 if last else ends[k + 1]
    return tied


@inner
def _ranks(
    words: Words,
    leaving: Integers,
    places: Integers,
    firsts: Integers,
    ends: Integers,
    tied: bool,
    least: int,
    out: Floats,
) -> None:
    """Write the rank of each row's value among the window's, and leave `words` as the last window's."""
    counts = np.empty(words.size, np.int32)
    count_words(words, counts)
    nowhere = 64 * words.size
    n = np.int64(0)
    for place in leaving:
        n += place != MISSING
    for k in range(places.size):
        place = places[k]
        gone = leaving[k] if k < leaving.size else MISSING
        n += _step(words, gone, place)
        move_count(counts, gone if gone != MISSING else nowhere, place if place != MISSING else nowhere)
        if place == MISSING or n < least:
            out[k] = np.nan
        elif tied:
            smaller = ones_before(words, counts, firsts[place])
            end = ends[place]
            equal = (ones_before(words, counts, end) if end < ends.size else n) - smaller
            out[k] = (smaller + 0.5 * (equal + 1)) / n
        else:
            out[k] = (ones_before(words, counts, place) + 1) / n


@inlined
def _step(words: Words, gone: int, place: int) -> int:
    """Move the window by one row; return the change of the number of its values."""
    change = 0
    if gone != MISSING:
        remove_bit(words, gone)
        change -= 1
    if place != MISSING:
        add_bit(words, place)
        change += 1
    return change


@inner
def _quantiles(
    words: Words, leaving: Integers, places: Integers, values: Floats, levels: Floats, least: int, out: Floats
) -> None:
    """Write the quantiles of each row's window.

    For each level, `place` is the member of the window that has `below` members before it, and `following` the next
    one. In most rows one value leaves and one comes on the same side of both, and the quantile stays.
    """
    n = np.int64(0)
    for place in leaving:
        n += place != MISSING
    at, following = np.full(levels.size, MISSING), np.full(levels.size, NOWHERE)
    below, result = np.zeros(levels.size, np.int64), np.full(levels.size, np.nan)
    for k in range(places.size):
        new = places[k]
        gone = leaving[k] if k < leaving.size else MISSING
        change = _step(words, gone, new)
        n += change
        lower, upper = min(gone, new), max(gone, new)
        for m in range(levels.size):
            if change != 0 or (upper >= at[m] and lower <= following[m]):
                if n < least:
                    at[m], following[m], result[m] = MISSING, NOWHERE, np.nan
                else:
                    position = levels[m] * (n - 1)
                    wanted = int(position)
                    place = at[m]
                    if place == MISSING or gone == place:  # noqa: PLR1714 - a set is slow when compiled
                        place = place_of(words, wanted)
                    else:
                        below[m] += (new != MISSING and new < place) - (gone != MISSING and gone < place)
                        place = _moved(words, place, wanted - below[m])
                    next_place = place
                    quantile = values[place]
                    if position > wanted:
                        next_place = place_after(words, place)
                        if values[next_place] != quantile:
                            quantile += (position - wanted) * (values[next_place] - quantile)
                    at[m], following[m], below[m], result[m] = place, next_place, wanted, quantile
            out[m, k] = result[m]


@inlined
def _moved(words: Words, place: int, steps: int) -> int:
    """Return the member of the set so many members up, or down."""
    while steps > 0:
        place = place_after(words, place)
        steps -= 1
    while steps < 0:
        place = place_before(words, place)
        steps += 1
    return place
