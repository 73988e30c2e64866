"""Combinations that hold the same positions though their conditions or rules differ, found before they are followed.

Many parameters of a grid do not matter where others have their values: a threshold of a condition that the rule is told
to ignore, a step of a window that moves no verdict. When the posture changes is then the same, close by close. So
these changes are given a number, equal changes the same one; a path is known by the number of its changes, its weights
and its rebalancing. That holds while no stop is hit: a path on which one was is not kept.

Changes are compared one by one, never by a hash alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, inner_in_place
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.decisions import BEGIN, Changes, Stops

__all__ = ["Alike", "find_path", "keep_path", "new_alike", "number_of_changes", "take_path"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROOM = 1 << 17
"""Changes kept at least: those of a few hundred to some thousand different paths."""

PLACES = 1 << 11
"""Places for different sequences of changes, a power of two; a later one takes the place of an earlier."""

POSTURE_BITS = POSTURE_MASK.bit_length()

EMPTY = -1


class Alike(NamedTuple):
    """Sequences of changes that were met, and paths that were followed: scratch of one block.

    Attributes
    ----------
    kept
        int64 (room,): sequences of changes, one after the other, each change its close and its posture in one number.
    used
        int64 (2,): how much of that is in use, and how many sequences have been given a number.
    number, hashed, begin, length
        int64 (places,): number of the sequence in each place or `EMPTY`, its hash, and where it is kept.
    sequence, weights
        int64 (paths,): what a path is known by; `EMPTY` where there is none. Weights and rebalancing are one number.
    path
        int64 (paths,): the path itself.
    high
        Float64 (paths, numbers of the rule): below which value a stop leaves the path what it is.
    """

    kept: Integers
    used: Integers
    number: Integers
    hashed: Integers
    begin: Integers
    length: Integers
    sequence: Integers
    weights: Integers
    path: Integers
    high: Floats


def new_alike(combinations: int, knobs: int, sessions: int) -> Alike:
    """Return room for a block of so many combinations, of a rule of so many numbers, over so many sessions."""
    paths = 1 << max(0, combinations - 1).bit_length()
    return Alike(
        kept=np.empty(max(ROOM, sessions + 1), np.int64),
        used=np.zeros(2, np.int64),
        number=np.full(PLACES, EMPTY, np.int64),
        hashed=np.empty(PLACES, np.int64),
        begin=np.empty(PLACES, np.int64),
        length=np.empty(PLACES, np.int64),
        sequence=np.full(paths, EMPTY, np.int64),
        weights=np.empty(paths, np.int64),
        path=np.empty(paths, np.int64),
        high=np.empty((paths, knobs)),
    )


@inner_in_place
def number_of_changes(alike: Alike, changes: Changes, count: int) -> int:
    """Return the number of a sequence of changes: that of an equal one, or a new one.

    Which sequences are still known decides how much work is saved, and no result.
    """
    if alike.used[0] + count > alike.kept.size:
        alike.used[0] = 0
        alike.number[:] = EMPTY
    begin, hashed = alike.used[0], BEGIN
    for n in range(count):
        change = changes.close[n] << POSTURE_BITS | changes.state[n] & POSTURE_MASK
        alike.kept[begin + n] = change
        hashed = (hashed ^ change) * 0x27D4EB2F165667C5
        hashed ^= hashed >> 29
    place = hashed & (alike.number.size - 1)
    if alike.number[place] != EMPTY and alike.hashed[place] == hashed and alike.length[place] == count:
        before, same = alike.begin[place], True
        for n in range(count):
            same &= alike.kept[before + n] == alike.kept[begin + n]
        if same:
            return alike.number[place]  # type: ignore[no-any-return]
    alike.used[0] += count
    alike.used[1] += 1
    alike.number[place], alike.hashed[place] = alike.used[1], hashed
    alike.begin[place], alike.length[place] = begin, count
    return alike.used[1]  # type: ignore[no-any-return]


@inlined_in_place
def find_path(alike: Alike, stops: Stops, sequence: int, weights: int, daily: bool, knobs: Floats) -> tuple[int, bool]:
    """Return the place of a path, and whether it is there and what it would be with these stops."""
    what = 2 * weights + np.int64(daily)
    mixed = (sequence * 0x9E3779B97F4A7C1 ^ what) * 0xC2B2AE3D27D4EB5
    place = (mixed >> 24) & (alike.path.size - 1)
    known: bool = alike.sequence[place] == sequence and alike.weights[place] == what
    if known:
        for field in range(knobs.size):
            known &= not stops.is_stop[field] or knobs[field] < alike.high[place, field]
    return place, known  # type: ignore[return-value]  # in numba, one type


@inlined_in_place
def keep_path(
    alike: Alike, place: int, sequence: int, weights: int, daily: bool, path: int, low: Floats, high: Floats
) -> None:
    """Keep a path in its place, if no stop was hit on it; the one that is there stays otherwise.

    Parameters
    ----------
    low, high
        Float64 (numbers of the rule,): from which value on, and below which, a stop gives the path.
    """
    for field in range(low.size):
        if low[field] > -np.inf:
            return
    for field in range(low.size):
        alike.high[place, field] = high[field]
    alike.sequence[place] = sequence
    alike.weights[place] = 2 * weights + np.int64(daily)
    alike.path[place] = path


@inlined_in_place
def take_path(alike: Alike, place: int, low: Floats, high: Floats) -> int:
    """Return the path in a place, and fill in which stops give it; see `keep_path`."""
    for field in range(low.size):
        low[field], high[field] = -np.inf, alike.high[place, field]
    return alike.path[place]  # type: ignore[no-any-return]
