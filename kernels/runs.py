"""Runs of equal states: how long a condition has held, and where regimes begin."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Integers, as_bools, as_states
from kernels.compile import jit

__all__ = ["Regimes", "RunTable", "consecutive_true", "regimes", "run_table"]


class Regimes(NamedTuple):
    """The run each row belongs to, as it is known in that row."""

    identifier: Integers
    """Number of the run, from zero."""
    start: Integers
    """Row in which the run began."""
    length: Integers
    """Rows the run has lasted so far, this one included."""


class RunTable(NamedTuple):
    """All runs of a finished history, one row each. The last run may go on after its end."""

    state: npt.NDArray[Any]
    start: Integers
    length: Integers


def consecutive_true(flags: npt.ArrayLike) -> Integers:
    """Count of flags that have been true in a row up to each one, itself included; zero where it is false.

    Parameters
    ----------
    flags
        Booleans, one dimension. A missing observation is the caller's to decide: a comparison with NaN is false.

    Raises
    ------
    TypeError, ValueError
        If the flags are not booleans of one dimension.
    """
    array = as_bools(flags)
    counts = np.empty(array.size, np.int64)
    _count(array, counts)
    return counts


def regimes(states: npt.ArrayLike) -> Regimes:
    """Number the runs of equal states, with each run's start and its length so far.

    Parameters
    ----------
    states
        Booleans or integers, one dimension.

    Raises
    ------
    TypeError, ValueError
        If the states are not booleans or integers of one dimension.
    """
    array = as_states(states)
    result = Regimes(*(np.empty(array.size, np.int64) for _ in Regimes._fields))
    _number(array, *result)
    return result


def run_table(states: npt.ArrayLike) -> RunTable:
    """List the runs of equal states of a finished history. The argument is that of `regimes`."""
    array = np.asarray(states)
    numbers = as_states(array)
    starts = np.flatnonzero(np.concatenate((np.ones(min(array.size, 1), np.bool_), numbers[1:] != numbers[:-1])))
    return RunTable(array[starts], starts, np.diff(starts, append=array.size))


@jit
def _count(flags: Bools, counts: Integers) -> None:
    count = 0
    for i in range(flags.size):
        count = count + 1 if flags[i] else 0
        counts[i] = count


@jit
def _number(states: Integers, identifier: Integers, start: Integers, length: Integers) -> None:
    number, began = -1, 0
    for i in range(states.size):
        if i == 0 or states[i] != states[i - 1]:
            number += 1
            began = i
        identifier[i] = number
        start[i] = began
        length[i] = i - began + 1
