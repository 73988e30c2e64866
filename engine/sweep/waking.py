"""Which closes a rule at rest can sleep through: those whose code cannot make it leave its first state.

In state 0 a rule holds nothing and looks at the code alone. All codes that make it leave are found by asking it; the
conditions that all of them share must be met before anything can happen. The closes at which they are met are kept as
packed bits, 64 closes a word, and the loop jumps from one to the next. A close that is looked at in vain costs a
little time and changes nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.sweep.plan import Plan
from engine.sweep.rules import bind_rule, decide
from kernels.bits import trailing_zeros

__all__ = ["next_waking_close", "waking_closes", "waking_conditions"]

Words = NDArray[np.uint64]

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def waking_closes(plan: Plan) -> Words:
    """For each row of codes, the closes at which it does not forbid the rule to leave state 0.

    Returns
    -------
    uint64 (rows of ``plan.codes``, words of 64 closes). A combination can leave state 0 only at closes that are set in
    all of its rows.
    """
    shared = waking_conditions(plan)
    packed = []
    for table, bits in zip(plan.code_tables, plan.code_bits, strict=True):
        needed = np.uint16(shared & bits)
        packed.append(_packed((plan.codes[table.rows] & needed) == needed))
    return np.concatenate(packed)


def waking_conditions(plan: Plan) -> int:
    """Conditions, as bits, that every code shares that makes the rule leave state 0; 0 if they share none."""
    rule_type = plan.grid.strategy.rule
    rule = rule_type(*(0.0 for _ in rule_type._fields))
    return int(_shared_bits(rule, np.unique(plan.knobs.rows, axis=0), 1 << len(plan.grid.strategy.conditions)))


@jit
def _shared_bits(rule: Any, knobs: NDArray[np.float64], codes: int) -> int:
    shared = codes - 1
    for k in range(knobs.shape[0]):
        bound = bind_rule(rule, knobs[k])
        for code in range(codes):
            if decide(bound, 0, 0.0, code) != 0:
                shared &= code
    return shared


def _packed(verdicts: NDArray[np.bool_]) -> Words:
    octets = np.packbits(verdicts, axis=1, bitorder="little")
    padded = np.zeros((len(octets), -(-octets.shape[1] // 8) * 8), np.uint8)
    padded[:, : octets.shape[1]] = octets
    return padded.view("<u8").astype(np.uint64)


@jit
def next_waking_close(closes: Words, rows: NDArray[np.int64], start: int, sessions: int) -> int:
    """Return the first close from ``start`` on that is set in all rows, or ``sessions`` if there is none."""
    word = start >> 6
    if word >= closes.shape[1]:
        return sessions
    met = ALL << np.uint64(start & 63)
    for row in rows:
        met &= closes[row, word]
    while met == 0:
        word += 1
        if word == closes.shape[1]:
            return sessions
        met = ALL
        for row in rows:
            met &= closes[row, word]
    close: int = min(sessions, (word << 6) + np.int64(trailing_zeros(met)))  # type: ignore[assignment]  # in numba, one type
    return close
