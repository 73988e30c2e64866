"""Rows of four blocks: what is beside each other in lanes is apart in memory.

Rows and states are tuples, of lanes for four blocks and of floats for one, so that the same code serves both.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels.lanes import ALIGNMENT, INDEX, VECTOR, WIDTH, address_of, lanes, side_by_side, transposed_vectors

__all__ = ["load_state", "row_of", "rows_of", "store_apart", "store_state", "values_of"]


@intrinsic  # type: ignore[untyped-decorator]
def rows_of(_typing: Any, arrays: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Load four neighbours from each of four places, and return them by rows: first all first ones, and so on.

    A row is a tuple with lanes for each of the arrays, which are a tuple as well.
    """

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        columns = []
        for kind, array in zip(sig.args[0], cgutils.unpack_tuple(builder, args[0]), strict=True):
            vectors = [
                builder.load(address_of(context, builder, kind, array, place), align=ALIGNMENT) for place in args[1:]
            ]
            columns.append(transposed_vectors(builder, *vectors))
        rows = [
            context.make_tuple(builder, row, values) for row, *values in zip(sig.return_type, *columns, strict=True)
        ]
        return context.make_tuple(builder, sig.return_type, rows)

    row = types.containers.UniTuple(lanes, len(arrays))
    return types.containers.UniTuple(row, WIDTH)(arrays, *[types.intp] * WIDTH), generate


@intrinsic  # type: ignore[untyped-decorator]
def row_of(_typing: Any, arrays: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Load one value from each of four places: lanes for each of the arrays."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        row = []
        for kind, array in zip(sig.args[0], cgutils.unpack_tuple(builder, args[0]), strict=True):
            data = context.make_array(kind)(context, builder, array).data
            row.append(side_by_side(builder, [builder.load(builder.gep(data, [place])) for place in args[1:]]))
        return context.make_tuple(builder, sig.return_type, row)

    return types.containers.UniTuple(lanes, len(arrays))(arrays, *[types.intp] * WIDTH), generate


@intrinsic  # type: ignore[untyped-decorator]
def values_of(_typing: Any, arrays: Any, place: Any) -> Any:
    """Load one value from each of the arrays."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        values = [
            builder.load(builder.gep(context.make_array(kind)(context, builder, array).data, [args[1]]))
            for kind, array in zip(sig.args[0], cgutils.unpack_tuple(builder, args[0]), strict=True)
        ]
        return context.make_tuple(builder, sig.return_type, values)

    return types.containers.UniTuple(types.float64, len(arrays))(arrays, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_apart(_typing: Any, array: Any, one: Any, two: Any, three: Any, four: Any, value: Any) -> Any:
    """Store one lane to each of four places."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        for lane, index in enumerate(args[1:-1]):
            builder.store(builder.extract_element(args[-1], ir.Constant(INDEX, lane)), builder.gep(data, [index]))
        return context.get_dummy_value()

    return types.void(array, *[types.intp] * WIDTH, lanes), generate


def _place(context: Any, builder: ir.IRBuilder, array: ir.Value, kind: Any, row: ir.Value, plane: int) -> ir.Value:
    """Return the address of a row, of lanes or of floats, in a plane of a contiguous array of planes."""
    planes = context.make_array(types.Array(types.float64, 2, "C"))(context, builder, array)
    width = cgutils.unpack_tuple(builder, planes.shape)[1]
    index = builder.mul(row, ir.Constant(row.type, WIDTH)) if kind == lanes else row
    address = builder.gep(planes.data, [builder.add(index, builder.mul(width, ir.Constant(width.type, plane)))])
    return builder.bitcast(address, VECTOR.as_pointer()) if kind == lanes else address


@intrinsic  # type: ignore[untyped-decorator]
def store_state(_typing: Any, planes: Any, row: Any, state: Any) -> Any:
    """Store each part of a state, lanes or a float, to its own plane of a matrix."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        for plane, (kind, part) in enumerate(zip(sig.args[2], cgutils.unpack_tuple(builder, args[2]), strict=True)):
            builder.store(part, _place(context, builder, args[0], kind, args[1], plane), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(planes, types.intp, state), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_state(_typing: Any, planes: Any, row: Any, like: Any) -> Any:
    """Load what `store_state` has stored of a state of the same type as `like`."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        parts = [
            builder.load(_place(context, builder, args[0], kind, args[1], plane), align=ALIGNMENT)
            for plane, kind in enumerate(sig.args[2])
        ]
        return context.make_tuple(builder, sig.return_type, parts)

    return like(planes, types.intp, like), generate
