"""Follow combinations from holding to holding: one compiled loop for every strategy.

It finds when the rule next wants another posture (`engine.sweep.decisions`), looks up what the holding has earned until
then (`engine.sweep.holdings`), and joins the sums (`engine.sweep.tally`). Combinations come in an order that puts those
side by side that differ least. One that differs from the one before by a stop alone, and by so little that no return of
that path lies between the two stops, holds the same positions and is not followed again.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, jit_in_place
from engine.metrics import WON
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.decisions import (
    BEGIN,
    NO_STOP,
    Asked,
    Changes,
    Stops,
    find_changes,
    look_at_each_close,
    look_at_each_return,
    next_change,
)
from engine.sweep.holdings import (
    FIELDS,
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
from engine.sweep.plan import Rows
from engine.sweep.rules import bind_rule
from engine.sweep.tally import NO_RETURNS, Tally, add_return, join
from engine.sweep.waking import Planes, Watch, forget

__all__ = ["Combinations", "Counts", "Form", "Paths", "Scratch", "follow_combinations", "new_paths", "of_rows"]

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
        Holdings, and paths that only a stop could change, are computed once.
    """

    jumps: bool
    remembers: bool


class Combinations(NamedTuple):
    """What belongs to each combination of a block; see `engine.sweep.plan.Rows`.

    Attributes
    ----------
    order
        int64 (combinations,): the order in which they are followed.
    """

    order: Integers
    codes: Integers
    knobs: Floats
    weights: Integers
    daily: NDArray[np.bool_]


class Scratch(NamedTuple):
    """Room that one block needs while it is followed.

    Attributes
    ----------
    codes
        uint16 (sessions,): codes of the present combination.
    joined
        uint64 (words of four codes,): the same memory.
    holdings
        Float64 (legs,).
    low, high
        Float64 (numbers of the rule,): from which value on, and below which, a stop gives the present path.
    changes
        When the posture changes along the present path while no stop is hit.
    places
        int64 (sessions + 1,): where the holdings between these changes are remembered.
    watch, memory
        See `engine.sweep.waking` and `engine.sweep.holdings`.
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


class Paths(NamedTuple):
    """Paths that were followed.

    Attributes
    ----------
    of
        int64 (combinations,): the path of each combination.
    counts
        Float64 (paths, fields of `Counts`).
    net, gross
        Float64 (paths, fields of `Tally`).
    """

    of: Integers
    counts: Floats
    net: Floats
    gross: Floats


def of_rows(rows: Rows, order: Integers) -> Combinations:
    """Return the rows of a block as compiled code takes them."""
    return Combinations(order, rows.codes, rows.knobs, rows.weights, rows.daily)


def new_paths(combinations: int) -> Paths:
    """Return room for as many paths as there are combinations."""
    shapes = ((combinations, len(Counts._fields)), (combinations, FIELDS), (combinations, FIELDS))
    return Paths(np.empty(combinations, np.int64), *(np.empty(shape) for shape in shapes))


@jit_in_place
def follow_combinations(
    rule: Any,
    form: Form,
    stops: Stops,
    combinations: Combinations,
    codes: Words,
    planes: Planes,
    books: Books,
    scratch: Scratch,
    paths: Paths,
) -> int:
    """Fill the paths of a block and return their number.

    Parameters
    ----------
    rule
        Any instance of the strategy's rule: its type is what counts.
    codes
        uint64 (rows of codes, words of four).
    """
    followed = codes_number = changes = BEGIN
    before = BEGIN - 1
    for i in combinations.order:
        same_codes = before >= 0 and _same_codes(combinations, i, before)
        same_rule = before >= 0 and _same_rule(combinations, stops, i, before)
        same = same_codes and same_rule and _same_holdings(combinations, i, before)
        if same and form.remembers and stops.declared and _within(combinations.knobs, stops, scratch, i):
            paths.of[i] = followed - 1
            continue
        if not same_codes:
            _join_codes(codes, combinations.codes, i, scratch.joined)
            codes_number += 1
        if not same_rule:
            forget(scratch.watch)
        if not (same_codes and same_rule and form.remembers):
            changes = 0
        asked = Asked(
            bind_rule(rule, combinations.knobs[i]),
            form.jumps,
            scratch.codes,
            codes_number,
            combinations.codes[i],
            planes,
            scratch.watch,
        )
        supposes = _supposes_no_stop(form, stops, combinations.knobs[i])
        if supposes and changes == 0:
            changes = find_changes(asked, scratch.changes)
        counted, net, gross = _follow(asked, form, stops, combinations, i, books, scratch, changes if supposes else 0)
        for field, count in enumerate(counted):
            paths.counts[followed, field] = count
        for field, value in enumerate(net):
            paths.net[followed, field] = value
        for field, value in enumerate(gross):
            paths.gross[followed, field] = value
        paths.of[i] = followed
        followed += 1
        before = i
    return followed


@inlined_in_place
def _same_codes(combinations: Combinations, one: int, other: int) -> bool:
    same = True
    for table in range(combinations.codes.shape[1]):
        same &= combinations.codes[one, table] == combinations.codes[other, table]
    return same


@inlined_in_place
def _same_rule(combinations: Combinations, stops: Stops, one: int, other: int) -> bool:
    """Tell whether two rules are the same but for their stops."""
    same = True
    for field in range(combinations.knobs.shape[1]):
        same &= stops.is_stop[field] or combinations.knobs[one, field] == combinations.knobs[other, field]
    return same


@inlined_in_place
def _same_holdings(combinations: Combinations, one: int, other: int) -> bool:
    same_weights: bool = combinations.weights[one] == combinations.weights[other]
    same_days: bool = combinations.daily[one] == combinations.daily[other]
    return same_weights and same_days


@inlined_in_place
def _within(knobs: Floats, stops: Stops, scratch: Scratch, i: int) -> bool:
    """Tell whether the stops of a combination give the path that was followed last."""
    within = True
    for field in range(knobs.shape[1]):
        within &= not stops.is_stop[field] or scratch.low[field] <= knobs[i, field] < scratch.high[field]
    return within


@inlined_in_place
def _join_codes(codes: Words, rows: Integers, i: int, joined: Words) -> None:
    """Unite the rows of codes of a combination, four codes a word."""
    joined[:] = 0
    for table in range(rows.shape[1]):
        row = rows[i, table]
        for word in range(joined.size):
            joined[word] |= codes[row, word]


@inlined_in_place
def _supposes_no_stop(form: Form, stops: Stops, knobs: Floats) -> bool:
    """Tell whether a rule is run as if no stop were hit, and looked at afterwards where one was."""
    supposes = stops.declared
    for field in range(knobs.size):
        supposes &= not stops.is_stop[field] or (form.remembers and knobs[field] < 0.0)
    return supposes


@inlined_in_place
def _follow(  # noqa: C901, PLR0912, PLR0915 - one loop, so that all it carries from holding to holding stays in registers
    asked: Asked,
    form: Form,
    stops: Stops,
    combinations: Combinations,
    i: int,
    books: Books,
    scratch: Scratch,
    changes: int,
) -> tuple[Counts, Tally, Tally]:
    """Follow one combination through the sample, and leave in ``scratch`` which stops give the same path.

    Parameters
    ----------
    changes
        Number of changes that were found supposing that no stop is hit; 0 if it is not supposed.
    """
    sessions = books.prices.shape[0]
    target_of, daily = books.target_of[combinations.weights[i]], combinations.daily[i]
    memory = scratch.memory
    supposes = changes > 0
    _find_places(memory, books, scratch.changes, changes, target_of, daily, scratch.places)
    scratch.low[:] = -np.inf
    scratch.high[:] = 0.0
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
                    memory, form.remembers, books, place, daily, held, following, filled, left, kept, scratch.holdings
                )
                if judged:
                    break
                judged, lowest = True, memory.records[place, LOWEST]
                stop = combinations.knobs[i, field]
                if lowest > stop:
                    break
                left, state, hit, lowest = look_at_each_return(asked, books, held, daily, begun, filled, stop)
                following = target_of[state & POSTURE_MASK] if left < sessions else OPEN
                scratch.low[field] = max(scratch.low[field], hit)
                in_step = False
            if field != NO_STOP:
                scratch.high[field] = min(scratch.high[field], lowest)
            earned = _tally(memory.records, place, NET_TALLY)
            earned_gross = _tally(memory.records, place, GROSS_TALLY)
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
    return (held << 20) ^ (min(closes, books.settled_closes) if daily else 0)


@inlined_in_place
def _tally(records: Floats, place: int, first: int) -> Tally:
    """Read a tally back from the record of a holding."""
    return Tally(
        records[place, first],
        records[place, first + 1],
        records[place, first + 2],
        records[place, first + 3],
        records[place, first + 4],
        records[place, first + 5],
        records[place, first + 6],
    )
