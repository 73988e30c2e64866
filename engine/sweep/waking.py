"""What wakes a rule that is at rest, found for 64 closes at a time.

A rule that leaves its state as it is, given the conditions met at a close, leaves it so until they change in a way that
matters to it: it is at rest. Which codes wake it is found by asking it about every code, once for each state in which
it rests, and kept as a decision diagram over the conditions (Bryant, Graph-Based Algorithms for Boolean Function
Manipulation, 1986): a node looks at one condition, and equal parts are one node. Conditions are packed bits, 64 closes
a word, so a node is three word operations for 64 closes, and the closes that wake the rule are known exactly.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, inner_in_place
from engine.sweep.plan import Plan
from engine.sweep.rules import decide
from kernels.bits import trailing_zeros

__all__ = [
    "NEVER_HIT",
    "SEARCHED",
    "UNDRAWN",
    "UNWATCHED",
    "VISITED",
    "Planes",
    "Watch",
    "answer",
    "ask_about_every_code",
    "condition_planes",
    "draw_diagram",
    "find_waking_closes",
    "forget",
    "next_waking_close",
    "place_of_state",
    "start_watch",
]

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Numbers = NDArray[np.int16]

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ZERO = np.uint64(0)

NEVER_HIT = np.inf
"""Given to a rule in the place of its holding's return: no stop is hit."""

STATES = 1 << 14
"""States below this can be watched; a rule in another is asked at each close."""

WATCHED = 256
"""States watched at a time."""

UNKNOWN, UNWATCHED = -1, -2
"""In the place of a state's place: it has none yet; there is none left."""

UNASKED = -1
"""In the place of an answer: the rule has not been asked yet."""

SLEEPS, WAKES = 0, 1
"""The two ends of a diagram; its nodes are numbered from 2 on."""

NODES = 64
"""Most nodes of a diagram, the ends included. A rule at rest in a state that needs more is asked at each close."""

VISITED, SEARCHED = 0, 1
"""What is counted."""

UNDRAWN, TOO_LARGE = -1, -2
"""In the place of a diagram's root: it has not been made yet; it has too many nodes."""


class Planes(NamedTuple):
    """Conditions as packed bits.

    Attributes
    ----------
    table_of
        int64 (conditions,): the code table that speaks of a condition.
    met
        uint64 (rows of codes, conditions, words): the closes at which a condition is met.
    """

    table_of: Integers
    met: Words


class Watch(NamedTuple):
    """What a rule has answered, and what wakes it in the states in which it has been at rest: scratch of one block.

    Attributes
    ----------
    place
        int64 (STATES,): place of a state in what follows, or `UNKNOWN`.
    states
        int64 (WATCHED,): the states themselves.
    watched
        int64 (1,): places in use.
    answers
        int16 (WATCHED, codes): what the rule answers to each code while no stop is hit, or `UNASKED`.
    asked, low, high
        int16 (WATCHED, NODES): the condition that a node of a state's diagram looks at, and the nodes, or ends, that
        come next where it is not met and where it is.
    root
        int64 (WATCHED,): the node to begin with, which comes after all that follow it; or `UNDRAWN`, or `TOO_LARGE`.
    closes
        uint64 (WATCHED, words): closes that wake the rule for the present codes.
    codes_of
        int64 (WATCHED,): number of the codes for which ``closes`` was made.
    values
        uint64 (NODES, words): what each node is worth at each close; scratch.
    layer
        int16 (codes,): scratch of the making of a diagram.
    visited
        int64 (2,): closes looked at so far, and paths whose changes of posture were searched.
    """

    place: Integers
    states: Integers
    watched: Integers
    answers: Numbers
    asked: Numbers
    low: Numbers
    high: Numbers
    root: Integers
    closes: Words
    codes_of: Integers
    values: Words
    layer: Numbers
    visited: Integers


def condition_planes(plan: Plan) -> Planes:
    """Pack the conditions of each row of codes."""
    conditions = len(plan.grid.strategy.conditions)
    rows, sessions = plan.codes.shape
    words = -(-sessions // 64)
    met = np.zeros((rows, conditions, words), np.uint64)
    for k in range(conditions):
        met[:, k] = _packed((plan.codes >> np.uint16(k)) & np.uint16(1) != 0, words)
    table_of = [next(j for j, bits in enumerate(plan.code_bits) if bits >> k & 1) for k in range(conditions)]
    return Planes(np.array(table_of, np.int64), met)


def _packed(verdicts: NDArray[np.bool_], words: int) -> Words:
    octets = np.zeros((len(verdicts), words * 8), np.uint8)
    packed = np.packbits(verdicts, axis=1, bitorder="little")
    octets[:, : packed.shape[1]] = packed
    return octets.view("<u8").astype(np.uint64)


def start_watch(conditions: int, words: int) -> Watch:
    """Return a watch of nothing."""
    codes = 1 << conditions
    return Watch(
        place=np.full(STATES, UNKNOWN, np.int64),
        states=np.zeros(WATCHED, np.int64),
        watched=np.zeros(1, np.int64),
        answers=np.empty((WATCHED, codes), np.int16),
        asked=np.zeros((WATCHED, NODES), np.int16),
        low=np.zeros((WATCHED, NODES), np.int16),
        high=np.zeros((WATCHED, NODES), np.int16),
        root=np.zeros(WATCHED, np.int64),
        closes=np.zeros((WATCHED, words), np.uint64),
        codes_of=np.full(WATCHED, -1, np.int64),
        values=np.zeros((NODES, words), np.uint64),
        layer=np.zeros(codes, np.int16),
        visited=np.zeros(2, np.int64),
    )


@inner_in_place
def forget(watch: Watch) -> None:
    """Forget all states: another rule, or the same with other numbers, comes next."""
    for state in watch.states[: watch.watched[0]]:
        watch.place[state] = UNKNOWN
    watch.watched[0] = 0


@inlined_in_place
def place_of_state(watch: Watch, state: int) -> int:
    """Return the place of a state, a new one where it has none, or `UNWATCHED`."""
    if not 0 <= state < STATES:
        return UNWATCHED
    place: int = watch.place[state]
    return place if place != UNKNOWN else _new_place(watch, state)


@inner_in_place
def _new_place(watch: Watch, state: int) -> int:
    place: int = watch.watched[0]
    if place == WATCHED:
        return UNWATCHED
    watch.watched[0] += 1
    watch.place[state] = place
    watch.states[place] = state
    watch.answers[place] = UNASKED
    watch.root[place] = UNDRAWN
    watch.codes_of[place] = -1
    return place


@inlined_in_place
def answer(rule: Any, watch: Watch, place: int, state: int, code: int) -> int:
    """Return the state that the rule wants after a state while no stop is hit, asking it but once."""
    if place != UNWATCHED:
        known: Any = np.int64(watch.answers[place, code])
        if known != UNASKED:
            return known  # type: ignore[no-any-return]
    return _ask(rule, watch, place, state, code)


@inner_in_place
def _ask(rule: Any, watch: Watch, place: int, state: int, code: int) -> int:
    following = decide(rule, state, NEVER_HIT, code)
    if place != UNWATCHED and 0 <= following < STATES:
        watch.answers[place, code] = following
    return following


@inlined_in_place
def next_waking_close(watch: Watch, place: int, start: int, sessions: int) -> int:
    """Return the first close from ``start`` on that wakes a rule at rest, or ``sessions`` if none does."""
    word = start >> 6
    if word >= watch.closes.shape[1]:
        return sessions
    left = watch.closes[place, word] & (ALL << np.uint64(start & 63))
    while left == ZERO:
        word += 1
        if word == watch.closes.shape[1]:
            return sessions
        left = watch.closes[place, word]
    close: int = min(sessions, (word << 6) + np.int64(trailing_zeros(left)))  # type: ignore[assignment]  # in numba, one type
    return close


@inner_in_place
def ask_about_every_code(rule: Any, watch: Watch, place: int) -> None:
    """Note in ``layer`` which codes wake the rule in one state."""
    state = watch.states[place]
    for code in range(watch.layer.size):
        watch.layer[code] = WAKES if answer(rule, watch, place, state, code) != state else SLEEPS


@inner_in_place
def draw_diagram(watch: Watch, place: int) -> None:
    """Make the diagram of one state from ``layer``, the ends for all codes, halving it condition by condition."""
    asked, lows, highs = watch.asked[place], watch.low[place], watch.high[place]
    layer, width, size = watch.layer, watch.layer.size, WAKES + 1
    condition = 0
    while width > 1:
        first = size
        width >>= 1
        for i in range(width):
            low, high = layer[2 * i], layer[2 * i + 1]
            node: Any = np.int64(low)
            if low != high:
                node = first
                while node < size and (lows[node] != low or highs[node] != high):
                    node += 1
                if node == NODES:
                    watch.root[place] = TOO_LARGE
                    return
                if node == size:
                    asked[node], lows[node], highs[node] = condition, low, high
                    size += 1
            layer[i] = node
        condition += 1
    watch.root[place] = layer[0]


@inner_in_place
def find_waking_closes(planes: Planes, rows: Integers, watch: Watch, place: int) -> None:
    """Fill the closes that wake the rule in one state, for the codes made of these rows."""
    root, closes = watch.root[place], watch.closes[place]
    if root == TOO_LARGE:
        closes[:] = ALL
        return
    watch.values[SLEEPS] = ZERO
    watch.values[WAKES] = ALL
    for node in range(WAKES + 1, root + 1):
        condition = watch.asked[place, node]
        met = planes.met[rows[planes.table_of[condition]], condition]
        low, high = watch.values[watch.low[place, node]], watch.values[watch.high[place, node]]
        value = watch.values[node]
        for word in range(value.size):
            value[word] = low[word] ^ (met[word] & (low[word] ^ high[word]))
    for word in range(closes.size):
        closes[word] = watch.values[root, word]
