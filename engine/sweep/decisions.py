"""When a rule wants another posture: found close by close, or by jumping over closes that cannot change anything.

A rule at rest is jumped to the close that wakes it (`engine.sweep.waking`). As long as no stop is hit, when the posture
changes depends on the codes and the rule alone: these changes are found once, for all combinations that differ by their
weights or their stops.

A rule that looks at what its holding has earned says so by `stops`, see `engine.strategies.strategy`. Such a rule is
first run as if no stop were hit; where the least return of the holding so found reaches the stop, its closes are looked
at one by one. A rule that reads the return and does not declare its stops is always run close by close.
"""

import dis
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, inner_in_place
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.holdings import Books, return_since_fill
from engine.sweep.rules import decide
from engine.sweep.waking import (
    NEVER_HIT,
    UNDRAWN,
    UNWATCHED,
    VISITED,
    Planes,
    Watch,
    answer,
    ask_about_every_code,
    draw_diagram,
    find_waking_closes,
    next_waking_close,
    place_of_state,
)

__all__ = [
    "BEGIN",
    "NO_STOP",
    "Asked",
    "Changes",
    "Stops",
    "declared_stops",
    "find_changes",
    "look_at_each_close",
    "look_at_each_return",
    "next_change",
    "no_changes",
    "reads_held_return",
]

Codes = NDArray[np.uint16]
Integers = NDArray[np.int64]

BEGIN: int = np.int64(0)  # type: ignore[assignment]  # in numba, one type
"""What counting begins with in compiled code: functions called with a literal 0 would be compiled once more for it."""

NO_STOP = -1
"""In the place of a number of the rule: its holding's return is not looked at in this posture."""


class Changes(NamedTuple):
    """When the posture wanted changes along a path on which no stop is hit: scratch of one block.

    Attributes
    ----------
    close
        int64 (sessions + 1,): the close at which each change is filled; the number of sessions for what the sample ends
        before, which comes last.
    state
        int64 (sessions + 1,): the state decided at the close before.
    """

    close: Integers
    state: Integers


class Asked(NamedTuple):
    """A rule with the numbers of one combination, and the codes that it is asked about.

    Attributes
    ----------
    rule
        Instance of the strategy's rule.
    jumps
        Whether closes that cannot change anything are jumped over.
    codes
        uint16 (sessions,): the conditions met at each close.
    codes_number
        Tells these codes apart from those of other combinations.
    rows
        int64 (code tables,): the rows of ``planes`` that the codes are made of.
    planes, watch
        See `engine.sweep.waking`.
    """

    rule: Any
    jumps: bool
    codes: Codes
    codes_number: int
    rows: Integers
    planes: Planes
    watch: Watch


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
    none
        Whether it is known that the rule never looks.
    """

    of_posture: Integers
    is_stop: NDArray[np.bool_]
    declared: bool
    none: bool


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
    stops = getattr(rule_type, "stops", None)
    for posture, field in (stops or {}).items():
        of_posture[posture] = rule_type._fields.index(field)
        is_stop[of_posture[posture]] = True
    declared = stops is not None or not reads_held_return(rule_type)
    return Stops(of_posture, is_stop, declared, declared and not is_stop.any())


def no_changes(sessions: int) -> Changes:
    """Return room for the changes of one path."""
    return Changes(np.zeros(sessions + 1, np.int64), np.zeros(sessions + 1, np.int64))


@inner_in_place
def find_changes(asked: Asked, changes: Changes) -> int:
    """Fill when the posture wanted changes while no stop is hit, and return how often."""
    close = state = number = BEGIN
    while close < asked.codes.size:
        close, state = next_change(asked, state, close)
        changes.close[number] = close
        changes.state[number] = state
        number += 1
    return number


@inlined_in_place
def next_change(asked: Asked, state: int, start: int) -> tuple[int, int]:
    """Find the next change of posture while no stop is hit.

    Parameters
    ----------
    state, start
        The state before, and the first close that is looked at.

    Returns
    -------
    The close at which the change is filled, the number of sessions if there is none, and the state decided before it.
    """
    if asked.jumps:
        return _jump(asked, state, start)
    return look_at_each_close(asked, state, start, NEVER_HIT)


@inlined_in_place
def look_at_each_close(asked: Asked, state: int, start: int, held_return: float) -> tuple[int, int]:
    """Ask the rule at each close from ``start`` on, each time with the same return of the holding.

    Returns what `next_change` does.
    """
    posture = state & POSTURE_MASK
    for t in range(start, asked.codes.size):
        code: Any = np.int64(asked.codes[t])  # numba's int() would leave it unsigned, and mixing the two makes a float
        state = decide(asked.rule, state, held_return, code)
        if state & POSTURE_MASK != posture:
            return min(t + 1, asked.codes.size), state
    return asked.codes.size, state


@inner_in_place
def look_at_each_return(
    asked: Asked, books: Books, target: int, daily: bool, state: int, filled: int, stop: float
) -> tuple[int, int, float, float]:
    """Ask the rule at each close from the fill on, with what the holding has earned.

    Returns, besides what `next_change` does, the greatest return at or below the stop and the least above it, of
    the closes looked at: any other stop between them gives the same answers.
    """
    posture = state & POSTURE_MASK
    held_return = 0.0
    hit, missed = -np.inf, np.inf
    for t in range(filled, asked.codes.size):
        if t > filled:
            held_return = return_since_fill(books, target, daily, t, filled, held_return)
        if held_return <= stop:
            hit = max(hit, held_return)
        else:
            missed = min(missed, held_return)
        code: Any = np.int64(asked.codes[t])
        state = decide(asked.rule, state, held_return, code)
        if state & POSTURE_MASK != posture:
            return min(t + 1, asked.codes.size), state, hit, missed
    return asked.codes.size, state, hit, missed


@inlined_in_place
def _jump(asked: Asked, state: int, start: int) -> tuple[int, int]:
    """Do as `look_at_each_close` does while no stop is hit, but jump over closes that cannot change anything."""
    watch = asked.watch
    posture = state & POSTURE_MASK
    place = place_of_state(watch, state)
    t = start
    while t < asked.codes.size:
        watch.visited[VISITED] += 1
        code: Any = np.int64(asked.codes[t])
        following = answer(asked.rule, watch, place, state, code)
        if following & POSTURE_MASK != posture:
            return min(t + 1, asked.codes.size), following
        t += 1
        if following != state:
            state = following
            place = place_of_state(watch, state)
        elif place != UNWATCHED:
            if watch.root[place] == UNDRAWN:
                ask_about_every_code(asked.rule, watch, place)
                draw_diagram(watch, place)
            if watch.codes_of[place] != asked.codes_number:
                find_waking_closes(asked.planes, asked.rows, watch, place)
                watch.codes_of[place] = asked.codes_number
            t = next_waking_close(watch, place, t, asked.codes.size)
    return asked.codes.size, state
