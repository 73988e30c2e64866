"""The kernels as functions of DuckDB.

DuckDB hands a Python function rows, not columns, so a series goes in and comes out as a list::

    SELECT series, unnest(list(date ORDER BY date)) AS date,
           unnest(rolling_zscore(list(value ORDER BY date), 60)) AS score
    FROM observations GROUP BY series

The lists cross as Arrow arrays without a Python object for each value. NULL is a missing value, in and out, and a
missing condition is false. A NULL list or parameter gives NULL. Bad parameters stop the query with the kernel's own
sentence.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb.func import PythonUDFType

import kernels

__all__ = ["SQL_FUNCTIONS", "register"]

NUMBERS, CONDITIONS, COUNTS, WHOLE, FRACTION = "DOUBLE[]", "BOOLEAN[]", "BIGINT[]", "BIGINT", "DOUBLE"

SQL_FUNCTIONS: dict[str, tuple[list[Any], str]] = {
    **{
        f"rolling_{name}": ([NUMBERS, WHOLE], NUMBERS)
        for name in (
            "sum", "mean", "var", "std", "zscore", "winsorized_zscore", "max", "min", "drawdown", "rank",
        )
    },
    "rolling_quantile": ([NUMBERS, WHOLE, FRACTION], NUMBERS),
    **{f"rolling_{name}": ([NUMBERS, NUMBERS, WHOLE], NUMBERS) for name in ("cov", "corr", "beta")},
    "ema": ([NUMBERS, FRACTION], NUMBERS),
    "change": ([NUMBERS, WHOLE], NUMBERS),
    "rate_of_change": ([NUMBERS, WHOLE], NUMBERS),
    "compound": ([NUMBERS], NUMBERS),
    "drawdown": ([NUMBERS], NUMBERS),
    "underwater_length": ([NUMBERS], NUMBERS),
    "lookahead_compounded_return": ([NUMBERS, WHOLE], NUMBERS),
    "consecutive_true": ([CONDITIONS], COUNTS),
    "hysteresis": ([CONDITIONS, CONDITIONS], CONDITIONS),
}  # fmt: skip
"""Parameter types and result type of each function; the names are those of the kernels."""

ARROW = {NUMBERS: pa.list_(pa.float64()), CONDITIONS: pa.list_(pa.bool_()), COUNTS: pa.list_(pa.int64())}


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the kernels callable from SQL on this connection."""
    for name, (parameters, result) in SQL_FUNCTIONS.items():
        call = partial(_call, getattr(kernels, name), ARROW[result])
        connection.create_function(
            name, _with_arity(call, len(parameters)), parameters, result, type=PythonUDFType.ARROW
        )


def _with_arity(call: Callable[..., pa.Array], count: int) -> Callable[..., pa.Array]:
    """Return the same function with as many positional parameters as DuckDB looks for in its signature."""
    functions: dict[int, Callable[..., pa.Array]] = {
        1: lambda one: call(one),  # noqa: PLW0108 - DuckDB counts the parameters it sees
        2: lambda one, two: call(one, two),  # noqa: PLW0108
        3: lambda one, two, three: call(one, two, three),  # noqa: PLW0108
    }
    return functions[count]


def _call(kernel: Callable[..., npt.NDArray[Any]], kind: pa.DataType, *columns: pa.ChunkedArray) -> pa.Array:
    """Apply a kernel to each row: lists are series, other columns are its parameters."""
    rows = zip(*(_values(column) for column in columns), strict=True)
    return pa.array([_result(kernel(*row)) for row in rows], type=kind)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return each row's list as an array, and each parameter as itself."""
    if not pa.types.is_list(column.type):
        values: list[Any] = column.to_pylist()
        return values
    return [_array(row.values) for row in column]


def _array(values: pa.Array) -> npt.NDArray[Any]:
    missing = False if pa.types.is_boolean(values.type) else np.nan
    filled = values.fill_null(missing) if values.null_count else values
    array: npt.NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    return array


def _result(values: npt.NDArray[Any]) -> pa.Array:
    return pa.array(values, from_pandas=True)
