"""Sets of small numbers as bits of 64-bit words, for compiled code."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels.compile import inlined, inner

__all__ = [
    "Counts",
    "Words",
    "add_bit",
    "count_ones",
    "count_words",
    "move_count",
    "ones_before",
    "place_after",
    "place_before",
    "place_of",
    "remove_bit",
    "trailing_zeros",
]

Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int32]

ONE = np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _instruction(emit: Callable[[ir.IRBuilder, ir.Value], ir.Value]) -> Any:
    """Return one LLVM instruction on a word as a function for compiled code; every processor has it or a short form."""

    def declare(_typing: Any, word: Any) -> Any:
        def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
            return emit(builder, args[0])

        return types.uint64(types.uint64), generate

    return intrinsic(declare)


ZERO_IS_UNDEFINED = ir.Constant(ir.IntType(1), 1)

count_ones = _instruction(lambda builder, word: builder.ctpop(word))
trailing_zeros = _instruction(lambda builder, word: builder.cttz(word, ZERO_IS_UNDEFINED))
leading_zeros = _instruction(lambda builder, word: builder.ctlz(word, ZERO_IS_UNDEFINED))


@inlined
def signed(word: np.uint64) -> int:
    """Return a word as a signed number."""
    return np.int64(word)  # type: ignore[return-value]


@inlined
def add_bit(words: Words, place: int) -> None:
    """Put `place` into the set."""
    words[place >> 6] |= ONE << np.uint64(place & 63)


@inlined
def remove_bit(words: Words, place: int) -> None:
    """Take `place` out of the set."""
    words[place >> 6] &= ~(ONE << np.uint64(place & 63))


@inlined
def ones_before(words: Words, counts: Counts, place: int) -> int:
    """Return how many members are less than `place`; ``counts[k]`` is how many are in the words before word ``k``."""
    index = place >> 6
    return signed(counts[index]) + signed(count_ones(words[index] & ((ONE << np.uint64(place & 63)) - ONE)))


@inner
def count_words(words: Words, counts: Counts) -> None:
    """Write the counts that `ones_before` needs."""
    total = np.int64(0)
    for index in range(words.size):
        counts[index] = total
        total += signed(count_ones(words[index]))


@inner
def move_count(counts: Counts, gone: int, new: int) -> None:
    """Keep the counts up with one member gone and one new; a place past the last word stands for none.

    This touches all counts, several at a time, which costs less than a branch that is often foretold wrongly.
    """
    gone_word, new_word = np.int32(gone >> 6), np.int32(new >> 6)
    for index in range(counts.size):
        here = np.int32(index)
        counts[index] += np.int32(here > new_word) - np.int32(here > gone_word)


@inlined
def place_after(words: Words, place: int) -> int:
    """Return the smallest member greater than `place`, or -1."""
    index = place >> 6
    word = words[index] & ((ALL << np.uint64(place & 63)) << ONE)
    while word == 0:
        index += 1
        if index == words.size:
            return -1
        word = words[index]
    return 64 * index + signed(trailing_zeros(word))


@inlined
def place_before(words: Words, place: int) -> int:
    """Return the greatest member less than `place`, or -1."""
    index = place >> 6
    word = words[index] & ((ONE << np.uint64(place & 63)) - ONE)
    while word == 0:
        index -= 1
        if index < 0:
            return -1
        word = words[index]
    return 64 * index + 63 - signed(leading_zeros(word))


@inner
def place_of(words: Words, number: int) -> int:
    """Return the member that has `number` members before it."""
    for index in range(words.size):
        ones = signed(count_ones(words[index]))
        if number < ones:
            word = words[index]
            for _ in range(number):
                word &= word - ONE
            return 64 * index + signed(trailing_zeros(word))
        number -= ones
    return -1
