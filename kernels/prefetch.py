"""Ask the processor to fetch memory that will be needed soon, for compiled code that knows where it will look."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["aligned_zeros", "prefetch"]

CACHE_LINE = 64
"""Bytes that a processor fetches at a time."""

READ, KEEP, DATA = 0, 3, 1


def aligned_zeros(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return float64 zeros (rows, columns) that begin with a line of the processor's cache."""
    size = rows * columns
    spare = CACHE_LINE // np.dtype(np.float64).itemsize
    memory = np.zeros(size + spare)
    first = -(memory.ctypes.data // memory.itemsize) % spare
    return memory[first : first + size].reshape(rows, columns)


def _declare_prefetch(_typing: Any, array: Any, _index: Any) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        hint = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, number, number, number]), "llvm.prefetch.p0"
        )
        place = builder.bitcast(builder.gep(data, [args[1]]), pointer)
        builder.call(hint, [place, *(ir.Constant(number, value) for value in (READ, KEEP, DATA))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


prefetch = intrinsic(_declare_prefetch)
"""``prefetch(array, index)`` hints that the line with the ``index``-th number of a contiguous array will be read. For
compiled code only; an index outside the array does no harm. It changes the time taken and no result."""
