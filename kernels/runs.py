"""Runs of equal states: how long a condition has held."""

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Integers, as_bools
from kernels.compile import jit

__all__ = ["consecutive_true"]


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


@jit
def _count(flags: Bools, counts: Integers) -> None:
    count = 0
    for i in range(flags.size):
        count = count + 1 if flags[i] else 0
        counts[i] = count
