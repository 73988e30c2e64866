"""Follow one combination from holding to holding.

It looks up what each holding has earned until the posture changes (`engine.sweep.holdings`) and joins the sums
(`engine.sweep.tally`). Where a stop was hit, its rule decides anew (`engine.sweep.decisions`), until its changes of
posture fall in step again with those that were found supposing no stop.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place
from engine.metrics import WON
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.alike import Alike
from engine.sweep.decisions import (
    BEGIN,
    NO_STOP,
    Asked,
    Changes,
    Stops,
    look_at_each_close,
    look_at_each_return,
    next_change,
)
from engine.sweep.holdings import (
    GROSS_TALLY,
    KEPT_AFTER,
    LOWEST,
    NET_TALLY,
    NOTHING,
    NOTIONAL,
    OPEN,
    Books,
    Memory,
    entry_kept,
    fetch,
    place_in_memory,
    recall,
)
from engine.sweep.tally import NO_RETURNS, Tally, add_return, join, read_tally
from engine.sweep.waking import Watch

__all__ = ["Counts", "Form", "Scratch", "follow_path"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.uint16]
Words = NDArray[np.uint64]

AHEAD = 4
"""Holdings between the one that is joined and the one whose record is fetched."""


class Form(NamedTuple):
    """How much work is saved. It changes the time taken and no result.

    Attributes
    ----------
    jumps
        Closes that cannot change anything are jumped over.
    remembers
        Holdings, and paths of combinations that are found to hold the same positions, are computed once.
    """

    jumps: bool
    remembers: bool


class Scratch(NamedTuple):
    """Room that one block needs while it is followed.

    Attributes
    ----------
    codes
        uint16 (sessions,): codes of the present combination.
    joined
        uint64 (code tables, words of four codes): the codes of the first table, of the first two, and so on; the last
        row is the same memory as ``codes``.
    holdings
        Float64 (legs,).
    low, high
        Float64 (numbers of the rule,): from which value on, and below which, a stop gives the present path.
    changes
        When the posture changes along the present path while no stop is hit.
    places
        int64 (sessions + 1,): where the holdings between these changes are remembered.
    watch, memory, alike
        See `engine.sweep.waking`, `engine.sweep.holdings` and `engine.sweep.alike`.
    """

    codes: Codes
    joined: Words
    holdings: Floats
    low: Floats
    high: Floats
    changes: Changes
    places: Integers
    watch: Watch
    memory: Memory
    alike: Alike


class Counts(NamedTuple):
    """What is counted along a path.

    Attributes
    ----------
    trades, hits, gross_hits
        Trades, and those of them that earned something after and before costs.
    sessions_held
        Sessions that end with a position.
    traded
        Notional, in units of the equity before each trade.
    """

    trades: Any
    hits: Any
    gross_hits: Any
    sessions_held: Any
    traded: Any


@inlined_in_place
def follow_path(  # noqa: C901, PLR0912, PLR0915 - one loop, so that all it carries from holding to holding stays in registers
    asked: Asked,
    form: Form,
    stops: Stops,
    knobs: Floats,
    target_of: Integers,
    daily: bool,
    books: Books,
    scratch: Scratch,
    changes: int,
) -> tuple[Counts, Tally, Tally]:
    """Follow one combination through the sample, and leave in ``scratch`` which stops give the same path.

    Parameters
    ----------
    knobs, target_of, daily
        Numbers of its rule, number of each posture's target, and whether it is rebalanced daily.
    changes
        Number of changes that were found supposing that no stop is hit; 0 if it is not supposed.
    """
    sessions = books.prices.shape[0]
    memory = scratch.memory
    supposes = changes > 0
    _find_places(memory, books, scratch.changes, changes, target_of, daily, scratch.places)
    scratch.low[:] = -np.inf
    scratch.high[:] = 0.0 if supposes else -np.inf  # then no other stop is known to give the same path
    net, gross = NO_RETURNS, NO_RETURNS
    trades, hits, gross_hits, sessions_held, traded = 0.0, 0.0, 0.0, 0.0, 0.0
    kept, entry = 1.0, 1.0
    state = left = before = BEGIN
    number, in_step = BEGIN, supposes  # with the changes that were found
    while left < sessions:
        filled, begun = left, state
        held = target_of[begun & POSTURE_MASK]
        if in_step:
            left, state = scratch.changes.close[number], scratch.changes.state[number]
            if number + AHEAD < changes:
                fetch(memory, scratch.places[number + AHEAD])
        elif supposes:
            left, state = next_change(asked, begun, filled)
        elif held == NOTHING:
            left, state = look_at_each_close(asked, begun, filled, 0.0)
        else:
            left, state, _, _ = look_at_each_return(asked, books, held, daily, begun, filled, -np.inf)
        following = target_of[state & POSTURE_MASK] if left < sessions else OPEN
        if held != NOTHING:
            field = stops.of_posture[begun & POSTURE_MASK] if supposes else NO_STOP
            judged, lowest = field == NO_STOP, 0.0
            while True:
                place = scratch.places[number]
                if not in_step:
                    place = place_in_memory(memory, daily, held, following, filled, left, before)
                recall(
                    memory,
                    form.remembers,
                    stops.none,
                    books,
                    place,
                    daily,
                    held,
                    following,
                    filled,
                    left,
                    kept,
                    scratch.holdings,
                )
                if judged:
                    break
                judged, lowest = True, memory.records[place, LOWEST]
                stop = knobs[field]
                if lowest > stop:
                    break
                left, state, hit, lowest = look_at_each_return(asked, books, held, daily, begun, filled, stop)
                following = target_of[state & POSTURE_MASK] if left < sessions else OPEN
                scratch.low[field] = max(scratch.low[field], hit)
                in_step = False
            if field != NO_STOP:
                scratch.high[field] = min(scratch.high[field], lowest)
            earned = read_tally(memory.records[place], NET_TALLY)
            earned_gross = read_tally(memory.records[place], GROSS_TALLY)
            net, gross = join(net, earned), join(gross, earned_gross)
            hits += entry * earned.growth > WON
            gross_hits += earned_gross.growth > WON
            traded += memory.records[place, NOTIONAL]
            sessions_held += left - filled
            kept = memory.records[place, KEPT_AFTER]
        entry = 1.0
        if following > NOTHING:
            trades += 1.0
            if held == NOTHING:
                kept, notional = entry_kept(books, following)
                entry = 1.0 + (kept - 1.0)
                net = add_return(net, kept - 1.0)
                traded += notional
        before = _trace(books, daily, held, left - filled)
        if in_step:
            number += 1
        elif supposes:
            while scratch.changes.close[number] < left:
                number += 1
            in_step = scratch.changes.close[number] == left and scratch.changes.state[number] == state
            number += 1 if in_step else 0
    return Counts(trades, hits, gross_hits, sessions_held, traded), net, gross


@inlined_in_place
def _find_places(
    memory: Memory, books: Books, changes: Changes, number: int, target_of: Integers, daily: bool, places: Integers
) -> None:
    """Fill where the holdings between some changes are remembered."""
    sessions = books.prices.shape[0]
    held = target_of[0]
    filled = before = BEGIN
    for n in range(number):
        left = changes.close[n]
        following = target_of[changes.state[n] & POSTURE_MASK] if left < sessions else OPEN
        places[n] = place_in_memory(memory, daily, held, following, filled, left, before)
        before = _trace(books, daily, held, left - filled)
        held, filled = following, left


@inlined_in_place
def _trace(books: Books, daily: bool, held: int, closes: int) -> int:
    """Tell apart what different holdings leave to the next: until one has settled, that depends on when it began."""
    if held == NOTHING:
        return 0
    return (held << 20) ^ (min(closes, books.settled.after) if daily else 0)
