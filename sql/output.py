"""Answers as a table, CSV, JSON or Parquet, written batch by batch."""

import json
import os
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import polars as pl
from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    DuckDBPyRelation,
    Expression,
    FunctionExpression,
)

from sql.errors import SqlError
from sql.table import table_text

__all__ = ["Form", "form_of", "write"]

Form = Literal["table", "csv", "json", "parquet"]
"""How an answer is written."""

_BATCH = 65_536
_SHOWN = 20
_NUMBERS = frozenset({"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}) | {
    "float",
    "double",
    "decimal",
    "hugeint",
    "uhugeint",
    "boolean",
}
_NESTED = frozenset({"list", "struct", "map", "array", "union"})
_PLAN = ["explain_key", "explain_value"]
_MOMENT = "%Y-%m-%dT%H:%M:%S.%f"


def form_of(out: Path | BinaryIO) -> Form:
    """Return the form that a file's ending names; a table on a stream.

    Raises
    ------
    SqlError
        If the ending names none.
    """
    if not isinstance(out, Path):
        return "table"
    ending = out.suffix.lstrip(".").lower()
    if ending not in ("csv", "json", "parquet"):
        msg = f"the ending of {out} does not say how to write it; end it in .csv, .json or .parquet, or give --format"
        raise SqlError(msg)
    return ending  # type: ignore[return-value]


def write(answer: DuckDBPyRelation, out: Path | BinaryIO, form: Form, width: int | None = None) -> int:
    """Write an answer and return its number of rows.

    Moments are written in UTC. A null is an empty cell in CSV and ``null`` elsewhere; a value that is not a number is
    ``NaN`` in a table and CSV, and ``null`` in JSON, which has no word for it.

    Parameters
    ----------
    answer
        What to write; it is run once.
    out
        A file, which is replaced in one step at the end, or a binary stream.
    form
        How.
    width
        The columns of a table's line; None: no limit.

    Raises
    ------
    SqlError
        If `form` is unknown or not for a terminal, or `out` cannot be written.
    """
    if form not in get_args(Form):
        msg = f"'{form}' is no format; the formats are {', '.join(get_args(Form))}"
        raise SqlError(msg)
    if not isinstance(out, Path):
        if form == "parquet" and out.isatty():
            msg = "Parquet is not for a terminal; give a file with --out"
            raise SqlError(msg)
        return _write(answer, out, form, width)
    try:
        return _write_file(answer, out, form, width)
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror or error}"
        raise SqlError(msg) from error


def _write_file(answer: DuckDBPyRelation, path: Path, form: Form, width: int | None) -> int:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            rows = _write(answer, stream, form, width)
            stream.flush()
            os.fsync(stream.fileno())
        staged.chmod(0o644)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return rows


def _write(answer: DuckDBPyRelation, stream: BinaryIO, form: Form, width: int | None) -> int:
    match form:
        case "table":
            return _write_table(answer, stream, width)
        case "csv":
            return _write_csv(answer, stream)
        case "json":
            return _write_json(answer, stream)
        case "parquet":
            return _write_parquet(answer, stream)


def _write_table(answer: DuckDBPyRelation, stream: BinaryIO, width: int | None) -> int:
    """Write the first and the last rows; the rows between them are counted but not kept."""
    if answer.columns == _PLAN:
        plans = [text for _, text in answer.fetchall()]
        stream.write("".join(plans).encode())
        return len(plans)
    rows = 0
    first = last = pl.DataFrame()
    for batch in _batches(_plain(answer)):
        rows += batch.height
        first = first.vstack(batch.head(_SHOWN - first.height)) if first.width else batch.head(_SHOWN)
        last = (last.vstack(batch.tail(_SHOWN)) if last.width else batch).tail(_SHOWN)
    last = last.tail(max(rows - first.height, 0))
    stream.write(table_text(first, last, rows, width).encode())
    return rows


def _write_csv(answer: DuckDBPyRelation, stream: BinaryIO) -> int:
    rows = 0
    for number, batch in enumerate(_batches(_plain(answer))):
        stream.write(batch.write_csv(include_header=number == 0).encode())
        rows += batch.height
    return rows


def _write_json(answer: DuckDBPyRelation, stream: BinaryIO) -> int:
    nested = [name for name, dtype in zip(answer.columns, answer.types, strict=True) if dtype.id in _NESTED]
    rows = 0
    stream.write(b"[")
    for batch in _batches(_plain(answer)):
        for row in batch.iter_rows(named=True):
            row |= {name: json.loads(row[name]) for name in nested if row[name] is not None}
            text = json.dumps({name: _json_value(value) for name, value in row.items()}, ensure_ascii=False)
            stream.write((",\n " if rows else "\n ").encode() + text.encode())
            rows += 1
    stream.write(b"\n]\n")
    return rows


def _write_parquet(answer: DuckDBPyRelation, stream: BinaryIO) -> int:
    import pyarrow as pa  # noqa: PLC0415 - takes long, and only this needs it by name
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = 0
    reader = answer.to_arrow_reader(_BATCH)
    try:
        with pq.ParquetWriter(stream, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
    except pa.ArrowNotImplementedError as error:
        msg = f"the result has a column that Parquet cannot hold: {error}; cast it, for example to VARCHAR"
        raise SqlError(msg) from error
    finally:
        reader.close()
    return rows


def _batches(answer: DuckDBPyRelation) -> Iterator[pl.DataFrame]:
    """Yield the rows batch by batch, at least one, and leave the connection free."""
    reader = answer.to_arrow_reader(_BATCH)
    try:
        yield pl.DataFrame(reader.schema.empty_table())
        for batch in reader:
            yield pl.DataFrame(batch)
    finally:
        reader.close()


def _plain(answer: DuckDBPyRelation) -> DuckDBPyRelation:
    """Return an answer of numbers, truth values and text only: moments in ISO 8601 and UTC, nested values as JSON."""
    return answer.project(
        *(
            _plain_column(ColumnExpression(name), dtype.id, str(dtype)).alias(name)
            for name, dtype in zip(answer.columns, answer.types, strict=True)
        )
    )


def _plain_column(column: Expression, kind: str, sql_type: str) -> Expression:
    if kind in _NUMBERS:
        return column
    if kind in _NESTED:
        return FunctionExpression("to_json", column).cast("VARCHAR")
    if kind.startswith("timestamp"):
        zone = "Z" if "TIME ZONE" in sql_type else ""
        moment = column.cast("TIMESTAMP")
        finite = FunctionExpression("isfinite", moment)
        text = FunctionExpression("strftime", moment, ConstantExpression(_MOMENT + zone))
        short = FunctionExpression("replace", text, ConstantExpression(".000000"), ConstantExpression(""))
        return CaseExpression(finite, short).otherwise(column.cast("VARCHAR"))
    return column.cast("VARCHAR")


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
