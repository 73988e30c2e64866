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
    NEVER_HIT,
    NO_STOP,
    Planes,
    Stops,
    Watch,
    forget,
    jump_to_next_fill,
    look_at_each_close,
    look_at_each_return,
    wanted_posture,
)
from engine.sweep.holdings import (
    FIELDS,
    GROSS_TALLY,
    KEPT_AFTER,
    LOWEST,
    NET_TALLY,
    NOTIONAL,
    OPEN,
    Books,
    Memory,
    entry_kept,
    recall,
)
from engine.sweep.plan import Rows
from engine.sweep.rules import bind_rule
from engine.sweep.tally import NO_RETURNS, Tally, add_return, join

__all__ = ["Combinations", "Counts", "Form", "Paths", "Scratch", "follow_combinations", "new_paths", "of_rows"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.uint16]
Words = NDArray[np.uint64]


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
    joined
        uint64 (words of four codes,): codes of the present combination.
    holdings
        Float64 (legs,).
    low, high
        Float64 (numbers of the rule,): from which value on, and below which, a stop gives the present path.
    watch, memory
        See `engine.sweep.decisions` and `engine.sweep.holdings`.
    """

    joined: Words
    holdings: Floats
    low: Floats
    high: Floats
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
    followed = 0
    codes_number = 0
    before = -1
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
        counted, net, gross = _follow(rule, form, stops, combinations, i, codes_number, planes, books, scratch)
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
def _follow(  # noqa: C901, PLR0915 - one loop, so that all it carries from holding to holding stays in registers
    rule: Any,
    form: Form,
    stops: Stops,
    combinations: Combinations,
    i: int,
    codes_number: int,
    planes: Planes,
    books: Books,
    scratch: Scratch,
) -> tuple[Counts, Tally, Tally]:
    """Follow one combination through the sample, and leave in ``scratch`` which stops give the same path."""
    sessions = books.prices.shape[0]
    rule = bind_rule(rule, combinations.knobs[i])
    codes = scratch.joined.view(np.uint16)[:sessions]
    target_of, daily = books.target_of[combinations.weights[i]], combinations.daily[i]
    scratch.low[:] = -np.inf
    scratch.high[:] = 0.0
    supposes = stops.declared  # that no stop is hit, and looks afterwards whether one was
    for field in range(stops.is_stop.size):
        supposes &= not stops.is_stop[field] or (form.remembers and combinations.knobs[i, field] < 0.0)
    net, gross = NO_RETURNS, NO_RETURNS
    trades, hits, gross_hits, sessions_held, traded = 0.0, 0.0, 0.0, 0.0, 0.0
    state, held, filled = 0, 0, 0
    kept, entry = 1.0, 1.0
    came_from = 0
    while True:
        begun = state
        if supposes and form.jumps:
            t, state = jump_to_next_fill(
                rule, codes, codes_number, combinations.codes[i], planes, scratch.watch, target_of, state, held, filled
            )
        elif supposes or held == 0:
            unstopped = NEVER_HIT if supposes else 0.0
            t, state = look_at_each_close(rule, codes, target_of, state, held, filled, unstopped)
        else:
            t, state, _, _ = look_at_each_return(rule, codes, target_of, books, daily, state, held, filled, -np.inf)
        left = min(t + 1, sessions)
        if held != 0:
            target = target_of[held]
            following = target_of[state & POSTURE_MASK] if left < sessions else OPEN
            place = recall(
                scratch.memory,
                form.remembers,
                books,
                daily,
                target,
                following,
                filled,
                left,
                kept,
                came_from,
                scratch.holdings,
            )
            field = stops.of_posture[held] if supposes else NO_STOP
            if field != NO_STOP:
                stop = combinations.knobs[i, field]
                lowest = scratch.memory.records[place, LOWEST]
                if lowest <= stop:
                    t, state, hit, lowest = look_at_each_return(
                        rule, codes, target_of, books, daily, begun, held, filled, stop
                    )
                    scratch.low[field] = max(scratch.low[field], hit)
                    left = min(t + 1, sessions)
                    following = target_of[state & POSTURE_MASK] if left < sessions else OPEN
                    place = recall(
                        scratch.memory,
                        form.remembers,
                        books,
                        daily,
                        target,
                        following,
                        filled,
                        left,
                        kept,
                        came_from,
                        scratch.holdings,
                    )
                scratch.high[field] = min(scratch.high[field], lowest)
            earned = _tally(scratch.memory.records, place, NET_TALLY)
            earned_gross = _tally(scratch.memory.records, place, GROSS_TALLY)
            net, gross = join(net, earned), join(gross, earned_gross)
            hits += entry * earned.growth > WON
            gross_hits += earned_gross.growth > WON
            traded += scratch.memory.records[place, NOTIONAL]
            sessions_held += left - filled
            kept = scratch.memory.records[place, KEPT_AFTER]
        if left >= sessions:
            break
        posture = wanted_posture(state, target_of)
        entry = 1.0
        if held == 0:
            kept, notional = entry_kept(books, target_of[posture])
            entry = 1.0 + (kept - 1.0)
            net = add_return(net, kept - 1.0)
            traded += notional
        if posture != 0:  # until a holding has settled, what it leaves depends on when it began
            short = min(left - filled, books.settled_closes) if daily and held != 0 else 0
            came_from = (target_of[held] << 20) ^ short
            trades += 1.0
        held, filled = posture, left
    return Counts(trades, hits, gross_hits, sessions_held, traded), net, gross


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
