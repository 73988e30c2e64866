"""Connections: an in-memory database with the views of a store, from which nothing but the store can be reached."""

import atexit
import os
import tempfile
import weakref
from datetime import datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from parquet_store import Manifest, Store, Universe, load_universe, read_manifest, refuse_damage
from sql.catalog import data_files, data_folders, define
from sql.errors import SqlError
from sql.statements import statement

__all__ = ["connect", "keep_alignment"]

_VERIFIED = ("prices", "actions", "macro", "quarantine")
"""The tables whose files are compared with their sha256 before they are queried, once a process. Bars and ledgers are
too large for that; `engine data check` looks after them."""

_open: weakref.WeakSet[DuckDBPyConnection] = weakref.WeakSet()


def connect(
    store: Store,
    *,
    as_of: datetime | None = None,
    manifest: Manifest | None = None,
    universe: Universe | None = None,
    allow_external: bool = False,
) -> DuckDBPyConnection:
    """Connect to a store.

    The database lives in memory and holds views and macros only; they read the store's files when they are queried. A
    connection shows the store as it was when it was made: connect again to see what was written since. Close it after
    use, or use it as a context manager. One connection serves one thread; other threads make their own.

    The connection can open the files that the views read (of bars: their folder), and no others, and neither its
    configuration nor its extensions can be changed. Statements from people belong in `sql.query` or `sql.run`, which
    also refuse whatever is not a question.

    Parameters
    ----------
    store
        The store.
    as_of
        Only rows seen at or before this moment, and only sessions closed by then; it must bear a time zone. None: all.
    manifest
        The manifest to read under, so that several connections see the same store; None: the current one.
    universe
        The series' calendars and carry rules; None: those the project ships.
    allow_external
        Whether the connection may also read and write other files, use the network, load extensions and be configured.

    Raises
    ------
    SqlError
        If `as_of` has no time zone.
    StoreError
        If the manifest cannot be read, or a file of prices, actions, macro or quarantine is damaged.
    """
    if as_of is not None and as_of.tzinfo is None:
        msg = f"as-of {as_of} has no time zone; give it one"
        raise SqlError(msg)
    listed = read_manifest(store) if manifest is None else manifest
    refuse_damage(store, (entry for table in _VERIFIED for entry in listed.entries(table, as_of)))
    connection = duckdb.connect(":memory:")
    _open.add(connection)
    try:
        define(connection, store, listed, load_universe() if universe is None else universe, as_of)
        connection.execute(statement("views/settings.sql", {"folder": _spill_folder()}))
        if not allow_external:
            readable = {
                "files": data_files(store, listed, as_of),
                "folders": data_folders(store, listed, as_of),
            }
            connection.execute(statement("views/lockdown.sql", readable))
    except BaseException:
        connection.close()
        raise
    return connection


def keep_alignment(connection: DuckDBPyConnection) -> None:
    """Compute sessions, aligned series and panel once, so that further questions to this connection find them ready.

    What the connection answers stays the same; the macros ``NAME_as_of(moment)`` are computed as ever.
    """
    connection.execute(statement("views/kept.sql"))


def _spill_folder() -> str:
    """Return where a query puts what does not fit in memory; DuckDB makes the folder when needed and removes it."""
    return str(Path(tempfile.gettempdir()) / f"engine-sql-{os.getpid()}")


@atexit.register
def _close_all() -> None:
    """Close what is still open; at the interpreter's end DuckDB complains of connections with registered objects."""
    for connection in list(_open):
        connection.close()
