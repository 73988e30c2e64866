"""States that are entered on one condition and left on another."""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, as_bools
from kernels.compile import jit

__all__ = ["hysteresis"]

Bytes = npt.NDArray[np.uint8]


def hysteresis(
    enter: npt.ArrayLike, leave: npt.ArrayLike, *, initially: bool = False, min_dwell: int = 1, min_absence: int = 1
) -> Bools:
    """Latched state: on from a row where `enter` is true until a row where `leave` is true.

    Off looks only at `enter`, on looks only at `leave`; where both are true the state changes either way.

    Parameters
    ----------
    enter, leave
        Booleans, one dimension, of one length.
    initially
        The state before the first row, taken to have lasted long enough to change at once.
    min_dwell
        Smallest number of rows on: `leave` is not looked at before.
    min_absence
        Smallest number of rows off between two stays: `enter` is not looked at before.

    Returns
    -------
    Bools
        The state after each row's conditions: true in the row of entry, false in the row of exit.

    Raises
    ------
    TypeError, ValueError
        If the conditions are not booleans of one dimension and one length, or a number of rows is less than 1.
    """
    entry, departure = as_bools(enter, "enter"), as_bools(leave, "leave")
    if entry.size != departure.size:
        message = f"enter and leave must have one length, but have {entry.size} and {departure.size}."
        raise ValueError(message)
    for name, rows in (("min_dwell", min_dwell), ("min_absence", min_absence)):
        if rows < 1:
            message = f"{name} must be at least 1, but is {rows}."
            raise ValueError(message)
    state = np.empty(entry.size, np.bool_)
    if min_dwell == min_absence == 1:
        _latch(entry.view(np.uint8), departure.view(np.uint8), initially, state.view(np.uint8))
    else:
        _latch_with_dwell(entry, departure, initially, min_dwell, min_absence, state)
    return state


@jit
def _latch(enter: Bytes, leave: Bytes, initially: bool, state: Bytes) -> None:
    """Look the next state up instead of branching, which would be foretold wrongly at every change."""
    on = np.uint8(initially)
    for i in range(state.size):
        next_states = enter[i] | ((np.uint8(1) - leave[i]) << np.uint8(1))  # bit 0 if off now, bit 1 if on now
        on = (next_states >> on) & np.uint8(1)
        state[i] = on


@jit
def _latch_with_dwell(
    enter: Bools, leave: Bools, initially: bool, min_dwell: int, min_absence: int, state: Bools
) -> None:
    on = initially
    since = max(min_dwell, min_absence)
    for i in range(state.size):
        changes = (since >= min_dwell and leave[i]) if on else (since >= min_absence and enter[i])
        if changes:
            on = not on
            since = 0
        since += 1
        state[i] = on
