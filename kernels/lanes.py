"""Four doubles side by side: a value type for compiled code, so that a loop can say what the vector unit should do.

A compiler may not reorder floating-point additions, so it leaves running sums and recurrences to the scalar unit. With
these operations four of them go side by side on the vector unit, in one order of additions that is the same on every
machine: the operations are LLVM's own vectors, which become AVX, SSE or NEON instructions with the same results
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
    "lanes_of",
    "last",
    "less",
    "load",
    "prefetch",
    "root",
    "running_back",
    "running_decay",
    "spread_last",
    "store",
    "store_past_cache",
    "transposed",
    "unaligned_rows",
    "where_at_least",
    "where_present",
]

WIDTH = 4
"""Lanes in a value. It decides the order of some additions, so it is the same on every machine."""

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


def _as(kind: Any, builder: ir.IRBuilder, value: ir.Value, given: Any) -> ir.Value:
    """Return a value as lanes where lanes are wanted and a float is given."""
    return _spread(builder, value) if kind == lanes and given != lanes else value


def _shuffle(builder: ir.IRBuilder, one: ir.Value, other: ir.Value, places: Sequence[int]) -> ir.Value:
    mask = ir.Constant(ir.VectorType(INDEX, WIDTH), list(places))
    return builder.shuffle_vector(one, other, mask)


def side_by_side(builder: ir.IRBuilder, values: Sequence[ir.Value]) -> ir.Value:
    vector = UNDEFINED
    for lane, value in enumerate(values):
        vector = builder.insert_element(vector, value, ir.Constant(INDEX, lane))
    return vector


def transposed_vectors(
    builder: ir.IRBuilder, one: ir.Value, two: ir.Value, three: ir.Value, four: ir.Value
) -> Sequence[ir.Value]:
    """Return the columns of a square given by rows."""
    even_top, odd_top = _shuffle(builder, one, two, [0, 4, 2, 6]), _shuffle(builder, one, two, [1, 5, 3, 7])
    even, odd = _shuffle(builder, three, four, [0, 4, 2, 6]), _shuffle(builder, three, four, [1, 5, 3, 7])
    left, right = [0, 1, 4, 5], [2, 3, 6, 7]
    return [
        _shuffle(builder, even_top, even, left),
        _shuffle(builder, odd_top, odd, left),
        _shuffle(builder, even_top, even, right),
        _shuffle(builder, odd_top, odd, right),
    ]


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


def address_of(context: Any, builder: ir.IRBuilder, array_type: Any, array: ir.Value, index: ir.Value) -> ir.Value:
    """Return where four neighbours of a contiguous array begin. No bounds are checked."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Load ``array[index : index + WIDTH]``, all of which must exist."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.load(address_of(context, builder, sig.args[0], args[0], args[1]), align=ALIGNMENT)

    return lanes(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store to ``array[index : index + WIDTH]``, all of which must exist."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.store(args[2], address_of(context, builder, sig.args[0], args[0], args[1]), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def lanes_of(_typing: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Put four floats side by side."""

    def generate(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return side_by_side(builder, args)

    return lanes(*[types.float64] * WIDTH), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Ask for the sixteen values from ``array[index]`` on, which need not exist: they will be read soon."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        byte, hint = ir.IntType(8).as_pointer(), [ir.Constant(INDEX, value) for value in (0, 3, 1)]
        kind = ir.FunctionType(ir.VoidType(), [byte, INDEX, INDEX, INDEX])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        for line in range(2):
            place = builder.add(args[1], ir.Constant(args[1].type, line * CACHE_LINE // 8))
            address = builder.bitcast(address_of(context, builder, sig.args[0], args[0], place), byte)
            builder.call(function, [address, *hint])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_past_cache(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store to memory that is not read again soon, without reading it into the cache first; see `unaligned_rows`."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        address = address_of(context, builder, sig.args[0], args[0], args[1])
        written = builder.store(args[2], address, align=8 * WIDTH)
        written.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(INDEX, 1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def unaligned_rows(_typing: Any, array: Any, index: Any) -> Any:
    """Return how many values lie between ``array[index]`` and the next beginning of a cache line."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        word = args[1].type
        address = builder.ptrtoint(address_of(context, builder, sig.args[0], args[0], args[1]), word)
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
def root(_typing: Any, value: Any) -> Any:
    """Return the square roots, correctly rounded. Takes lanes or a float."""

    def generate(_context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        kind, name = (VECTOR, f"v{WIDTH}f64") if sig.return_type == lanes else (ir.DoubleType(), "f64")
        function = ir.FunctionType(kind, [kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.sqrt.{name}"), args)

    return value(value), generate


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
def transposed(_typing: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Return the four columns of the square whose rows are given."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        return context.make_tuple(builder, sig.return_type, transposed_vectors(builder, *args))

    return types.containers.UniTuple(lanes, WIDTH)(lanes, lanes, lanes, lanes), generate


def _selection(comparison: str) -> Any:
    """Return the operation that keeps the first value where the comparison holds, else the second: lanes or floats."""

    def choose(_typing: Any, one: Any, other: Any) -> Any:
        def generate(_context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
            first, second = (
                _as(sig.return_type, builder, value, given) for value, given in zip(args, sig.args, strict=True)
            )
            return builder.select(builder.fcmp_ordered(comparison, first, second), first, second)

        return (lanes if lanes in {one, other} else types.float64)(one, other), generate

    return intrinsic(choose)


greater = _selection(">")
less = _selection("<")


@intrinsic  # type: ignore[untyped-decorator]
def where_present(_typing: Any, tested: Any, value: Any, otherwise: Any) -> Any:
    """Return `value` where `tested` is not NaN, and `otherwise` in the rest: lanes, or floats for a tested float."""

    def generate(_context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        present = builder.fcmp_ordered("ord", args[0], args[0])
        chosen, rest = (_as(sig.return_type, builder, args[k], sig.args[k]) for k in (1, 2))
        return builder.select(present, chosen, rest)

    return tested(tested, value, otherwise), generate


@intrinsic  # type: ignore[untyped-decorator]
def where_at_least(_typing: Any, tested: Any, least: Any, value: Any, otherwise: Any) -> Any:
    """Return `value` where `tested` is at least the float `least`, and the float `otherwise` in the rest."""

    def generate(_context: Any, builder: ir.IRBuilder, sig: Any, args: Sequence[ir.Value]) -> ir.Value:
        kind, given = sig.return_type, types.float64
        enough = builder.fcmp_ordered(">=", args[0], _as(kind, builder, args[1], given))
        return builder.select(enough, args[2], _as(kind, builder, args[3], given))

    return tested(tested, types.float64, tested, types.float64), generate
