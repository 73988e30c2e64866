"""Ask the store a question in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import duckdb
import polars as pl
from duckdb import DuckDBPyConnection, DuckDBPyRelation, Statement

from parquet_store import Store
from sql.connection import connect
from sql.errors import SqlError
from sql.explain import explained
from sql.guard import question, tables_named
from sql.output import Form, form_of, write
from sql.statements import identifier

__all__ = ["Parameters", "query", "relation", "run", "statement_text"]

Parameters = Sequence[object] | Mapping[str, object]
"""Values for the places ``?`` or ``$name`` of a statement."""


def relation(connection: DuckDBPyConnection, text: str, *, params: Parameters | None = None) -> DuckDBPyRelation:
    """Return the answer to a question as a DuckDB relation, which runs when it is read.

    ``relation.pl()`` is a Polars frame over DuckDB's own Arrow buffers: numbers and moments are not copied.
    ``relation.to_arrow_reader()`` streams batches. A stream that is not read to its end keeps the connection busy: read
    it or close it.

    Raises
    ------
    SqlError
        If the text is wrong, or does more than read.
    """
    statement = question(connection, text)
    try:
        answer = connection.sql(statement, params=params)
    except duckdb.Error as error:
        raise SqlError(_reason(connection, statement, params, error)) from error
    assert answer is not None  # noqa: S101 - a question always has an answer, if an empty one
    return answer


def query(
    source: Store | DuckDBPyConnection,
    text: str,
    *,
    params: Parameters | None = None,
    as_of: datetime | None = None,
) -> pl.DataFrame:
    """Return the answer to a question as a Polars frame.

    Parameters
    ----------
    source
        A store, or a connection to one.
    text
        One statement that reads.
    params
        Values for its places.
    as_of
        See `sql.connect`; only with a store.

    Raises
    ------
    SqlError
        If the text is wrong, does more than read, or fails; the message gives the position and what can be asked.
    """
    if isinstance(source, Store):
        with connect(source, as_of=as_of) as connection:
            return query(connection, text, params=params)
    answer = relation(source, text, params=params)
    try:
        frame: pl.DataFrame = answer.pl()
    except duckdb.Error as error:
        raise SqlError(_reason(source, question(source, text), params, error)) from error
    except pl.exceptions.PolarsError as error:
        msg = f"the result has a column that a frame cannot hold: {error}; cast it, for example to VARCHAR"
        raise SqlError(msg) from error
    return frame


def run(
    store: Store,
    text: str | Path,
    out: Path | BinaryIO,
    *,
    form: Form | None = None,
    params: Parameters | None = None,
    as_of: datetime | None = None,
    allow_external: bool = False,
    width: int | None = None,
) -> int:
    """Write the answer to a question to a file or a stream.

    Parameters
    ----------
    store
        The store.
    text
        A statement, or the path of a file that holds one.
    out
        A file, which is replaced in one step when the answer is complete, or a binary stream.
    form
        ``table``, ``csv``, ``json`` or ``parquet``; None: by the file's ending, and a table on a stream.
    params, as_of
        See `query`.
    allow_external
        Whether the text may write and read other files, use the network, and hold several statements of any kind, of
        which the last gives the answer.
    width
        The columns of a table's line; None: no limit.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    SqlError
        As `query`; also if the file with the text cannot be read or `out` cannot be written.
    """
    form = form_of(out) if form is None else form
    with connect(store, as_of=as_of, allow_external=allow_external) as connection:
        wording = statement_text(text)
        answer = (
            _anything(connection, wording, params) if allow_external else relation(connection, wording, params=params)
        )
        if answer is None:
            return 0
        try:
            return write(answer, out, form, width)
        except duckdb.Error as error:
            statement = None if allow_external else question(connection, wording)
            raise SqlError(_reason(connection, statement, params, error)) from error


def statement_text(text: str | Path) -> str:
    """Return a statement, from its file if a path is given.

    Raises
    ------
    SqlError
        If the file cannot be read.
    """
    if isinstance(text, str):
        return text
    try:
        return text.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"the file {text} cannot be read: {error.strerror}"
        raise SqlError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"the file {text} is not UTF-8 text: {error.reason} at byte {error.start}"
        raise SqlError(msg) from error


def _anything(connection: DuckDBPyConnection, text: str, params: Parameters | None) -> DuckDBPyRelation | None:
    try:
        return connection.sql(text, params=params)
    except duckdb.Error as error:
        raise SqlError(explained(str(error))) from error


def _reason(
    connection: DuckDBPyConnection, statement: Statement | None, params: Parameters | None, error: duckdb.Error
) -> str:
    """Return DuckDB's message; where the text is wrong, with the position and with what there is to ask for."""
    if isinstance(error, duckdb.PermissionException):
        return (
            f"{error}\n\nSQL reads the store and nothing else; to reach other files, ask for it with --allow-external"
        )
    message = str(error)
    if statement is not None and isinstance(error, duckdb.ProgrammingError | duckdb.DataError):
        message = _own_message(connection, statement, params) or message
    if statement is None or not isinstance(error, duckdb.ProgrammingError):
        return message
    columns = {}
    if "column" in message.lower():
        columns = {name: _columns(connection, name) for name in tables_named(connection, statement.query)}
    return explained(message, {name: names for name, names in columns.items() if names})


def _own_message(connection: DuckDBPyConnection, statement: Statement, params: Parameters | None) -> str | None:
    """Let the engine itself refuse a statement: a relation's message has no position, or one in a text around it."""
    try:
        connection.execute(statement, params).fetchall()
    except duckdb.Error as error:
        return str(error)
    return None


def _columns(connection: DuckDBPyConnection, name: str) -> list[str]:
    view = name.removesuffix("_as_of")
    try:
        return list(connection.sql(f"FROM {identifier(view)}").columns)
    except duckdb.Error:
        return []
