"""Which combinations of a grid are evaluated: all with a meaning, or some of them drawn at random.

A grid is described, never materialised. All combinations are ranges; a sample is drawn by a permutation of the numbers
0 … size - 1 that is computed, not stored, and holds only what it draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.sweep.fused_blocks import BLOCK
from engine.sweep.plan import Plan
from engine.sweep.workers import MemoryBudgetError

__all__ = ["Selection", "draw", "select"]

_ROUNDS = 8

_BYTES_A_DRAW = 24
"""What drawing a combination takes at the peak: its number, its digits block by block, and the copy that is sorted."""


@dataclass(frozen=True)
class Selection:
    """Combinations to evaluate, ascending.

    Attributes
    ----------
    plan
        Of the grid.
    count
        How many there are.
    drawn
        Their numbers if they were drawn, int64 (count,); None for all combinations with a meaning.
    """

    plan: Plan
    count: int
    drawn: NDArray[np.int64] | None

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Yield the combinations from ``start`` on and before ``stop``, in blocks of at most `BLOCK`."""
        if self.drawn is not None:
            ends = np.searchsorted(self.drawn, [start, self.plan.grid.size if stop is None else stop])
            for at in range(ends[0], ends[1], BLOCK):
                yield self.drawn[at : min(at + BLOCK, ends[1])]
            return
        end = self.plan.grid.size if stop is None else stop
        everything = bool(self.plan.feasible.rows.all())
        for at in range(start, end, BLOCK):
            block = np.arange(at, min(at + BLOCK, end))
            if not everything:
                block = block[self.plan.is_feasible(block)]
            if len(block):
                yield block

    def some(self, count: int, *, seed: int) -> NDArray[np.int64]:
        """Draw some of the combinations at random, ascending; all of them where there are fewer."""
        if self.drawn is None:
            return draw(self.plan, count, seed=seed)
        places = np.random.default_rng(seed).choice(self.count, min(count, self.count), replace=False)
        return self.drawn[np.sort(places)]

    def spans(self, size: int, start: int = 0) -> Iterator[tuple[int, int]]:
        """Yield ranges of numbers, one after the other, that hold at most ``size`` of the combinations."""
        if self.drawn is None:
            for at in range(start, self.plan.grid.size, size):
                yield at, min(at + size, self.plan.grid.size)
            return
        begin = int(np.searchsorted(self.drawn, start))
        for at in range(begin, self.count, size):
            yield int(self.drawn[at]), int(self.drawn[min(at + size, self.count) - 1]) + 1


def select(plan: Plan, *, memory: int) -> Selection:
    """Return what the grid of a plan asks to be evaluated.

    Parameters
    ----------
    memory
        Budget in bytes, of which the numbers of a random sample may take a quarter.

    Raises
    ------
    MemoryBudgetError
        A sample is too large for it.
    """
    count, sample = plan.feasible_count, plan.grid.evaluation.sample
    if sample is None or sample >= count:
        return Selection(plan, count, None)
    most = memory // (4 * _BYTES_A_DRAW)
    if sample > most:
        message = (
            f"a random sample of {sample:,} combinations does not fit the memory budget of {memory / 1e6:,.0f} MB: "
            f"draw sample = {most} in [evaluate], or allow more with --memory"
        )
        raise MemoryBudgetError(message)
    return Selection(plan, sample, draw(plan, sample, seed=plan.grid.evaluation.seed))


def draw(plan: Plan, count: int, *, seed: int) -> NDArray[np.int64]:
    """Draw combinations with a meaning at random, without replacement.

    The draws follow a pseudo-random permutation of all numbers of the grid: a larger draw with the same seed contains
    the smaller one, and nothing depends on the machine.

    Parameters
    ----------
    count
        How many; all of them where there are fewer.

    Returns
    -------
    int64, ascending.
    """
    size = plan.grid.size
    wanted = min(count, plan.feasible_count)
    found: list[NDArray[np.int64]] = []
    held, position = 0, 0
    while held < wanted:
        places = np.arange(position, min(size, position + BLOCK))
        position += len(places)
        numbers = _permuted(places, size, seed)
        numbers = numbers[plan.is_feasible(numbers)][: wanted - held]
        found.append(numbers)
        held += len(numbers)
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def _permuted(places: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Numbers at some places of a permutation of 0 … size - 1 that the seed chooses."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    keys = np.random.default_rng(seed).integers(0, 2**64, _ROUNDS, dtype=np.uint64, endpoint=False)
    out = np.empty(len(places), np.int64)
    _permute(places, size, half, keys, out)
    return out


@jit
def _permute(places: NDArray[np.int64], size: int, half: int, keys: NDArray[np.uint64], out: NDArray[np.int64]) -> None:
    """Walk the cycles of a Feistel network over 2**(2 * half) numbers until they come back below ``size``.

    Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
    """
    width = np.uint64(half)
    mask = (np.uint64(1) << width) - np.uint64(1)
    for k in range(places.size):
        number = np.uint64(places[k])
        while True:
            left, right = number >> width, number & mask
            for key in keys:
                mixed = (right ^ key) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
                left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
            number = (left << width) | right
            if number < np.uint64(size):
                break
        out[k] = np.int64(number)
