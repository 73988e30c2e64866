"""Four doubles side by side: a value type for compiled code, so that a loop can say what the vector unit should do.

A compiler may not reorder floating-point additions, so it leaves running sums, running maxima and recurrences to the
scalar unit. Written with these operations they use the vector unit, in one order of additions that is the same on
every machine: the operations are LLVM's own vectors, which become AVX, SSE or NEON instructions with the same results
to the last bit.

The type exists inside compiled code only. ``+ - * /`` work lane by lane between lanes, and between lanes and a float.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

__all__ = [
    "WIDTH",
    "Lanes",
    "fill",
    "first",
    "greater",
    "last",
    "less",
    "load",
    "root",
    "running",
    "running_back",
    "running_decay",
    "running_maximum",
    "running_maximum_back",
    "spread_first",
    "spread_last",
    "store",
    "store_past_cache",
    "transposed",
    "unaligned_rows",
    "where_at_least",
    "where_present",
]

WIDTH = 4
"""Lanes in a value. Part of the results: it decides the order of additions, so it is the same on every machine."""

Lanes: TypeAlias = Any
"""What annotations call the type; Python's type checkers cannot see it."""

INDEX = ir.IntType(32)
VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
UNDEFINED = ir.Constant(VECTOR, ir.Undefined)
ZERO = ir.Constant(VECTOR, [0.0] * WIDTH)
ALIGNMENT = 8
CACHE_LINE = 64


class LanesType(types.Type):
    """numba's type of `WIDTH` doubles in one vector register."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


lanes = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: LanesType) -> None:
        super().__init__(manager, numba_type, VECTOR)


def _spread(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Put one double into all lanes."""
    single = builder.insert_element(UNDEFINED, value, ir.Constant(INDEX, 0))
    return _shuffle(builder, single, UNDEFINED, [0] * WIDTH)


def _shuffle(builder: ir.IRBuilder, one: ir.Value, other: ir.Value, places: Sequence[int]) -> ir.Value:
    mask = ir.Constant(ir.VectorType(INDEX, WIDTH), list(places))
    return builder.shuffle_vector(one, other, mask)


def _moved_up(builder: ir.IRBuilder, value: ir.Value, by: int) -> ir.Value:
    """Move lanes to higher places; zeros come in."""
    return _shuffle(builder, value, ZERO, [WIDTH] * by + list(range(WIDTH - by)))


def _moved_down(builder: ir.IRBuilder, value: ir.Value, by: int) -> ir.Value:
    """Move lanes to lower places; zeros come in."""
    return _shuffle(builder, value, ZERO, list(range(by, WIDTH)) + [WIDTH] * by)


def _arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    """Teach numba one operator between lanes, and between lanes and a float."""
    pairs = [(lanes, lanes), (lanes, types.float64), (types.float64, lanes)]

    class Template(ConcreteTemplate):  # type: ignore[misc]
        cases = [signature(lanes, *pair) for pair in pairs]  # noqa: RUF012 - the form numba asks for

    infer_global(operation)(Template)

    def lower(_context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        one, other = (
            value if kind == lanes else _spread(builder, value) for value, kind in zip(args, sig.args, strict=True)
        )
        return getattr(builder, instruction)(one, other)

    for pair in pairs:
        lower_builtin(operation, *pair)(lower)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def _address(context: Any, builder: ir.IRBuilder, array_type: Any, array: ir.Value, index: ir.Value) -> ir.Value:
    """Return where four neighbours of a contiguous array begin. No bounds are checked."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Load ``array[index : index + WIDTH]``, all of which must exist."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.load(_address(context, builder, sig.args[0], args[0], args[1]), align=ALIGNMENT)

    return lanes(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store to ``array[index : index + WIDTH]``, all of which must exist."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1]), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_past_cache(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store to memory that is not read again soon, without reading it into the cache first; see `unaligned_rows`."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        address = _address(context, builder, sig.args[0], args[0], args[1])
        written = builder.store(args[2], address, align=8 * WIDTH)
        written.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(INDEX, 1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def unaligned_rows(_typing: Any, array: Any, index: Any) -> Any:
    """Return how many values lie between ``array[index]`` and the next beginning of a cache line."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        word = args[1].type
        address = builder.ptrtoint(_address(context, builder, sig.args[0], args[0], args[1]), word)
        surplus = builder.and_(builder.neg(address), ir.Constant(word, CACHE_LINE - 1))
        return builder.lshr(surplus, ir.Constant(word, 3))

    return types.intp(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def fill(_typing: Any, value: Any) -> Any:
    """Put one float into all lanes."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _spread(builder, args[0])

    return lanes(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def first(_typing: Any, value: Any) -> Any:
    """Return the lowest lane."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.extract_element(args[0], ir.Constant(INDEX, 0))

    return types.float64(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def last(_typing: Any, value: Any) -> Any:
    """Return the highest lane."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.extract_element(args[0], ir.Constant(INDEX, WIDTH - 1))

    return types.float64(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def spread_last(_typing: Any, value: Any) -> Any:
    """Return the highest lane in all lanes."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _shuffle(builder, args[0], UNDEFINED, [WIDTH - 1] * WIDTH)

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def spread_first(_typing: Any, value: Any) -> Any:
    """Return the lowest lane in all lanes."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _shuffle(builder, args[0], UNDEFINED, [0] * WIDTH)

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def root(_typing: Any, value: Any) -> Any:
    """Return the square roots, correctly rounded."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        kind = ir.FunctionType(VECTOR, [VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{WIDTH}f64"), args)

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def running(_typing: Any, value: Any) -> Any:
    """Return running sums from the lowest lane up."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        total = args[0]
        for by in (1, 2):
            total = builder.fadd(total, _moved_up(builder, total, by))
        return total

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def running_back(_typing: Any, value: Any) -> Any:
    """Return running sums from the highest lane down."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        total = args[0]
        for by in (1, 2):
            total = builder.fadd(total, _moved_down(builder, total, by))
        return total

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def running_decay(_typing: Any, value: Any, keep: Any, keep_squared: Any) -> Any:
    """Return sums from the lowest lane up that fade: ``y[k] = value[k] + keep * y[k - 1]``."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        total = args[0]
        for by, factor in ((1, args[1]), (2, args[2])):
            faded = builder.fmul(_spread(builder, factor), _moved_up(builder, total, by))
            total = builder.fadd(total, faded)
        return total

    return lanes(lanes, types.float64, types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def running_maximum(_typing: Any, value: Any) -> Any:
    """Return running maxima from the lowest lane up, if no lane is NaN."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _running_maximum(builder, args[0], ([0, 0, 1, 2], [0, 1, 0, 1]))

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def running_maximum_back(_typing: Any, value: Any) -> Any:
    """Return running maxima from the highest lane down, if no lane is NaN."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _running_maximum(builder, args[0], ([1, 2, 3, 3], [2, 3, 2, 3]))

    return lanes(lanes), generate


def _running_maximum(builder: ir.IRBuilder, value: ir.Value, neighbours: Sequence[Sequence[int]]) -> ir.Value:
    for places in neighbours:
        moved = _shuffle(builder, value, UNDEFINED, places)
        value = builder.select(builder.fcmp_ordered(">", value, moved), value, moved)
    return value


@intrinsic  # type: ignore[untyped-decorator]
def transposed(_typing: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Return the four columns of the square whose rows are given."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        one, two, three, four = args
        even_top, odd_top = _shuffle(builder, one, two, [0, 4, 2, 6]), _shuffle(builder, one, two, [1, 5, 3, 7])
        even, odd = _shuffle(builder, three, four, [0, 4, 2, 6]), _shuffle(builder, three, four, [1, 5, 3, 7])
        left, right = [0, 1, 4, 5], [2, 3, 6, 7]
        columns = [
            _shuffle(builder, even_top, even, left),
            _shuffle(builder, odd_top, odd, left),
            _shuffle(builder, even_top, even, right),
            _shuffle(builder, odd_top, odd, right),
        ]
        return context.make_tuple(builder, sig.return_type, columns)

    return types.containers.UniTuple(lanes, WIDTH)(lanes, lanes, lanes, lanes), generate


def _selection(comparison: str) -> Any:
    """Return the operation that keeps, lane by lane, the first value where the comparison holds, else the second."""

    def choose(_typing: Any, one: Any, other: Any) -> Any:
        def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
            return builder.select(builder.fcmp_ordered(comparison, args[0], args[1]), args[0], args[1])

        return lanes(lanes, lanes), generate

    return intrinsic(choose)


greater = _selection(">")
less = _selection("<")


@intrinsic  # type: ignore[untyped-decorator]
def where_present(_typing: Any, tested: Any, value: Any, otherwise: Any) -> Any:
    """Return `value` in the lanes where `tested` is not NaN, and the float `otherwise` in the rest."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        present = builder.fcmp_ordered("ord", args[0], args[0])
        return builder.select(present, args[1], _spread(builder, args[2]))

    return lanes(lanes, lanes, types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def where_at_least(_typing: Any, tested: Any, least: Any, value: Any, otherwise: Any) -> Any:
    """Return `value` in the lanes where `tested` is at least `least`, and the float `otherwise` in the rest."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        enough = builder.fcmp_ordered(">=", args[0], _spread(builder, args[1]))
        return builder.select(enough, args[2], _spread(builder, args[3]))

    return lanes(lanes, types.float64, lanes, types.float64), generate
