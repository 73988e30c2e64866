"""When a rule wants another posture: found close by close, or by jumping over closes that cannot change anything.

A rule that leaves its state as it is, given the conditions met at a close, leaves it so until these conditions change:
it is at rest. Which changes can wake it is found by asking it about every code: the conditions that all waking codes
share must be met, or not be met, and one of the conditions that it looks at in this state must have changed. The closes
at which this is so are kept as packed bits, 64 closes a word, made once for each row of codes, and the loop jumps from
one to the next. A close that is looked at in vain costs a little time and changes nothing.

A rule that looks at what its holding has earned says so by `stops`, see `engine.strategies.strategy`. Such a rule is
first run as if no stop were hit; where the least return of the holding so found reaches the stop, its closes are looked
at one by one. A rule that reads the return and does not declare its stops is always run close by close.
"""

import dis
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, jit_in_place
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.holdings import Books, return_since_fill
from engine.sweep.plan import Plan
from engine.sweep.rules import decide
from kernels.bits import trailing_zeros

__all__ = [
    "Planes",
    "Stops",
    "Watch",
    "condition_planes",
    "declared_stops",
    "jump_to_next_fill",
    "look_at_each_close",
    "look_at_each_return",
    "reads_held_return",
    "start_watch",
]

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)
ZERO = np.uint64(0)

NO_STOP = -1
"""In the place of a number of the rule: its holding's return is not looked at in this posture."""

NEVER_HIT = np.inf
"""Given to a rule in the place of its holding's return: no stop is hit."""

STATES = 1 << 14
"""States below this can be watched; a rule in another is asked at each close."""

WATCHED = 16
"""States watched at a time."""

UNKNOWN, UNWATCHED = -1, -2


class Planes(NamedTuple):
    """Conditions as packed bits.

    Attributes
    ----------
    table_of
        int64 (conditions,): the code table that speaks of a condition.
    met
        uint64 (rows of codes, conditions, words): the closes at which a condition is met.
    changed
        The closes at which it is met or not met, other than at the close before. The first counts as a change.
    """

    table_of: Integers
    met: Words
    changed: Words


class Watch(NamedTuple):
    """What is known of the states in which a rule has been at rest: scratch of one block of combinations.

    Attributes
    ----------
    place
        int64 (STATES,): place of a state below, or `UNKNOWN`.
    states
        int64 (WATCHED,): the states themselves.
    watched
        int64 (1,): places in use.
    needed, refused, looked_at
        int64 (WATCHED,): conditions that every waking code meets, conditions that none meets, and those whose verdict
        matters, as bits.
    closes
        uint64 (WATCHED, words): closes that can wake the rule for the present codes.
    codes_of
        int64 (WATCHED,): number of the codes for which ``closes`` was made.
    answers
        int64 (codes,): what the rule answers to each code.
    visited
        int64 (1,): closes looked at so far.
    """

    place: Integers
    states: Integers
    watched: Integers
    needed: Integers
    refused: Integers
    looked_at: Integers
    closes: Words
    codes_of: Integers
    answers: Integers
    visited: Integers


class Stops(NamedTuple):
    """When a rule looks at what its holding has earned.

    Attributes
    ----------
    of_posture
        int64 (postures,): the number of the rule that is the stop of a posture, or `NO_STOP`.
    is_stop
        bool (numbers of the rule,).
    declared
        Whether this is known; otherwise it may look at any close.
    """

    of_posture: Integers
    is_stop: NDArray[np.bool_]
    declared: bool


def reads_held_return(rule_type: Any) -> bool:
    """Tell whether the source of a rule reads its third argument, what the holding has earned."""
    function = getattr(rule_type.decide, "py_func", rule_type.decide)
    name = function.__code__.co_varnames[2]
    loaded = (instruction.argval for instruction in dis.get_instructions(function))
    return any(value == name or (isinstance(value, tuple) and name in value) for value in loaded)


def declared_stops(rule_type: Any) -> Stops:
    """Return when a rule looks at what its holding has earned, by its declaration or because it never reads it."""
    of_posture = np.full(POSTURE_MASK + 1, NO_STOP, np.int64)
    is_stop = np.zeros(len(rule_type._fields), np.bool_)
    declared = getattr(rule_type, "stops", None)
    if declared is None:
        return Stops(of_posture, is_stop, not reads_held_return(rule_type))
    for posture, field in declared.items():
        of_posture[posture] = rule_type._fields.index(field)
        is_stop[of_posture[posture]] = True
    return Stops(of_posture, is_stop, True)


def condition_planes(plan: Plan) -> Planes:
    """Pack the conditions of each row of codes."""
    conditions = len(plan.grid.strategy.conditions)
    rows, sessions = plan.codes.shape
    words = -(-sessions // 64)
    met, changed = (np.zeros((rows, conditions, words), np.uint64) for _ in range(2))
    for k in range(conditions):
        verdicts = (plan.codes >> np.uint16(k)) & np.uint16(1) != 0
        met[:, k] = _packed(verdicts, words)
        differs = np.ones_like(verdicts)
        differs[:, 1:] = verdicts[:, 1:] != verdicts[:, :-1]
        changed[:, k] = _packed(differs, words)
    table_of = [next(j for j, bits in enumerate(plan.code_bits) if bits >> k & 1) for k in range(conditions)]
    return Planes(np.array(table_of, np.int64), met, changed)


def _packed(verdicts: NDArray[np.bool_], words: int) -> Words:
    octets = np.zeros((len(verdicts), words * 8), np.uint8)
    packed = np.packbits(verdicts, axis=1, bitorder="little")
    octets[:, : packed.shape[1]] = packed
    return octets.view("<u8").astype(np.uint64)


def start_watch(conditions: int, words: int) -> Watch:
    """Return a watch of nothing."""
    return Watch(
        np.full(STATES, UNKNOWN, np.int64),
        np.zeros(WATCHED, np.int64),
        np.zeros(1, np.int64),
        np.zeros(WATCHED, np.int64),
        np.zeros(WATCHED, np.int64),
        np.zeros(WATCHED, np.int64),
        np.zeros((WATCHED, words), np.uint64),
        np.full(WATCHED, -1, np.int64),
        np.zeros(1 << conditions, np.int64),
        np.zeros(1, np.int64),
    )


@jit_in_place
def forget(watch: Watch) -> None:
    """Forget all states: another rule, or the same with other numbers, comes next."""
    for state in watch.states[: watch.watched[0]]:
        watch.place[state] = UNKNOWN
    watch.watched[0] = 0
    watch.codes_of[:] = -1


@inlined_in_place
def wanted_posture(state: int, target_of: Integers) -> int:
    """Posture of a state; a posture whose target is nothing counts as none."""
    posture = state & POSTURE_MASK
    return posture if target_of[posture] != 0 else 0


@inlined_in_place
def look_at_each_close(
    rule: Any, codes: NDArray[np.uint16], target_of: Integers, state: int, held: int, start: int, held_return: float
) -> tuple[int, int]:
    """Ask the rule at each close from ``start`` on.

    Returns the first close at which it wants another posture than ``held``, or the number of closes if there is none,
    and the state then. Each answer is given the same return of the holding.
    """
    for t in range(start, codes.size):
        code: Any = np.int64(codes[t])  # numba's int() would leave it unsigned, and mixing the two makes a float
        state = decide(rule, state, held_return, code)
        if wanted_posture(state, target_of) != held:
            return t, state
    return codes.size, state


@jit_in_place
def look_at_each_return(
    rule: Any,
    codes: NDArray[np.uint16],
    target_of: Integers,
    books: Books,
    daily: bool,
    state: int,
    held: int,
    filled: int,
    stop: float,
) -> tuple[int, int, float, float]:
    """Ask the rule at each close from the fill on, with what the holding has earned.

    Returns, besides what `look_at_each_close` does, the greatest return at or below the stop and the least above it, of
    the closes looked at: any other stop between them gives the same answers.
    """
    target = target_of[held]
    held_return = 0.0
    hit, missed = -np.inf, np.inf
    for t in range(filled, codes.size):
        if t > filled:
            held_return = return_since_fill(books, target, daily, t, filled, held_return)
        if held_return <= stop:
            hit = max(hit, held_return)
        else:
            missed = min(missed, held_return)
        code: Any = np.int64(codes[t])
        state = decide(rule, state, held_return, code)
        if wanted_posture(state, target_of) != held:
            return t, state, hit, missed
    return codes.size, state, hit, missed


@inlined_in_place
def jump_to_next_fill(
    rule: Any,
    codes: NDArray[np.uint16],
    codes_number: int,
    rows: Integers,
    planes: Planes,
    watch: Watch,
    target_of: Integers,
    state: int,
    held: int,
    start: int,
) -> tuple[int, int]:
    """Do as `look_at_each_close` does while no stop is hit, but jump over closes that cannot change anything.

    Parameters
    ----------
    codes, codes_number, rows
        Codes of the combination, a number that tells them apart from those of others, and the rows of ``planes`` that
        they are made of.
    """
    t = start
    while t < codes.size:
        watch.visited[0] += 1
        code: Any = np.int64(codes[t])
        following = decide(rule, state, NEVER_HIT, code)
        if wanted_posture(following, target_of) != held:
            return t, following
        t += 1
        if following != state or not 0 <= state < STATES:
            state = following
            continue
        place = watch.place[state]
        if place == UNKNOWN:
            place = _watch_state(rule, planes.table_of.size, watch, state)
        if place == UNWATCHED:
            continue
        if watch.codes_of[place] != codes_number:
            _find_waking_closes(planes, rows, watch, place)
            watch.codes_of[place] = codes_number
        t = _next_close(watch.closes, place, t, codes.size)
    return codes.size, state


@jit_in_place
def _watch_state(rule: Any, conditions: int, watch: Watch, state: int) -> int:
    """Find what wakes a rule in this state, by asking it about every code."""
    if watch.watched[0] == WATCHED:
        return UNWATCHED
    codes = 1 << conditions
    answers = watch.answers
    needed, refused, looked_at = codes - 1, codes - 1, 0
    for code in range(codes):
        answers[code] = decide(rule, state, NEVER_HIT, code)
        if answers[code] != state:
            needed &= code
            refused &= ~code
    for condition in range(conditions):
        bit = 1 << condition
        for code in range(codes):
            if answers[code] != answers[code ^ bit]:
                looked_at |= bit
                break
    place = watch.watched[0]
    watch.place[state] = place
    watch.states[place] = state
    watch.watched[0] += 1
    watch.needed[place] = needed
    watch.refused[place] = refused
    watch.looked_at[place] = looked_at
    return place  # type: ignore[no-any-return]


@jit_in_place
def _find_waking_closes(planes: Planes, rows: Integers, watch: Watch, place: int) -> None:
    """Fill the closes that can wake the rule in one state, for the codes made of these rows."""
    closes = watch.closes[place]
    closes[:] = ZERO
    for condition in range(planes.table_of.size):
        if watch.looked_at[place] >> condition & 1:
            changed = planes.changed[rows[planes.table_of[condition]], condition]
            for word in range(closes.size):
                closes[word] |= changed[word]
    for condition in range(planes.table_of.size):
        met = planes.met[rows[planes.table_of[condition]], condition]
        if watch.needed[place] >> condition & 1:
            for word in range(closes.size):
                closes[word] &= met[word]
        if watch.refused[place] >> condition & 1:
            for word in range(closes.size):
                closes[word] &= ~met[word]


@inlined_in_place
def _next_close(closes: Words, place: int, start: int, sessions: int) -> int:
    """Return the first close from ``start`` on that is set in one row, or ``sessions`` if there is none."""
    word = start >> 6
    if word >= closes.shape[1]:
        return sessions
    left = closes[place, word] & (ALL << np.uint64(start & 63))
    while left == ZERO:
        word += 1
        if word == closes.shape[1]:
            return sessions
        left = closes[place, word]
    close: int = min(sessions, (word << 6) + np.int64(trailing_zeros(left)))  # type: ignore[assignment]  # in numba, one type
    return close
