"""What a connection offers: a view and an as-of macro for each table of the store and each series derived from them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl
from duckdb import DuckDBPyConnection

from parquet_store import SCHEMAS, FileEntry, Manifest, Store, TableSchema, Universe, scan
from sql.held import as_json, held_series
from sql.overlap import split_by_overlap
from sql.session_calendar import SessionCalendar
from sql.statements import Value, statement

__all__ = ["VIEWS", "data_files", "data_folders", "define"]

VIEWS = (
    "prices",
    "actions",
    "macro",
    "bars",
    "adjusted",
    "sessions",
    "panel",
    "panel_long",
    "series",
    "quarantine",
    "sweep_runs",
    "sweep_results",
    "study_runs",
    "study_figures",
)
"""The views, in the order in which they are offered. All but ``series`` have a macro ``NAME_as_of(moment)``."""

_DERIVED = ("sessions_as_of", "adjusted_as_of", "aligned_as_of", "panel_long_as_of")
"""The macros of what is derived, in the order in which they build on each other; the panel's follows."""


def define(
    connection: DuckDBPyConnection, store: Store, manifest: Manifest, universe: Universe, as_of: datetime | None
) -> None:
    """Define all views and macros over what `manifest` lists, as it was seen by `as_of` (None: all).

    Nothing is read but the footers of a file of each table.
    """
    parts = _parts(manifest, as_of)
    # Definitions are bound to columns, which a file of each form tells; bound to thousands of files, as questions are,
    # each would take as long as a question.
    _name_files(connection, store, {name: _one_of_each_form(entries) for name, entries in parts.items()})
    connection.register("session_calendar", _calendar(manifest.entries("prices", as_of)))
    held = held_series(
        universe,
        prices=_names(connection, store, "prices", manifest.entries("prices", as_of)),
        macro=_names(connection, store, "macro", manifest.entries("macro", as_of)),
    )
    script = [
        statement("views/stored.sql"),
        *_tables(store, manifest, parts, as_of),
        statement("views/series.sql", {"series": as_json(held)}),
        *(statement(f"macros/{name}.sql", {"as_of": _until(as_of)}) for name in _DERIVED),
        statement("macros/panel_as_of.sql", {"series": [each.series for each in held]})
        if held
        else statement("macros/panel_as_of_without_series.sql"),
        statement("views/current.sql"),
    ]
    connection.execute("\n".join(script))
    _name_files(connection, store, parts)


def data_files(store: Store, manifest: Manifest, as_of: datetime | None) -> list[str]:
    """Return the paths of all files that the views read, but for those in `data_folders`."""
    tables = (table for table, schema in SCHEMAS.items() if not schema.one_series_a_file)
    return [path for table in tables for path in _paths(store, manifest.entries(table, as_of))]


def data_folders(store: Store, manifest: Manifest, as_of: datetime | None) -> list[str]:
    """Return the folders of tables that have too many files to name each of them."""
    tables = [table for table, schema in SCHEMAS.items() if schema.one_series_a_file]
    return [str(store.folder(table).resolve()) for table in tables if manifest.entries(table, as_of)]


def _paths(store: Store, entries: Sequence[FileEntry]) -> list[str]:
    root = store.root.resolve().as_posix()  # joined as text: there may be thousands, for each connection
    return [f"{root}/{entry.path}" for entry in entries]


def _until(as_of: datetime | None) -> str:
    return "infinity" if as_of is None else as_of.isoformat()


def _parts(manifest: Manifest, as_of: datetime | None) -> dict[str, Sequence[FileEntry]]:
    """Return the files of ``TABLE_once``, which hold each of their keys alone, and of ``TABLE_revised``, the rest."""
    parts: dict[str, Sequence[FileEntry]] = {}
    for table, schema in SCHEMAS.items():
        entries = manifest.entries(table, as_of)
        once, revised = split_by_overlap(entries) if schema.key else (entries, [])
        parts |= {f"{table}_once": once, f"{table}_revised": revised}
    return {name: entries for name, entries in parts.items() if entries}


def _one_of_each_form(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Return the first file of each set of columns."""
    return list({entry.schema: entry for entry in reversed(entries)}.values())[::-1]


def _name_files(connection: DuckDBPyConnection, store: Store, parts: Mapping[str, Sequence[FileEntry]]) -> None:
    """Tell the macros of the tables which files they read."""
    for name, entries in parts.items():
        connection.execute(statement("views/files.sql", names={"files": f"{name}_files"}), [_paths(store, entries)])


def _tables(
    store: Store, manifest: Manifest, parts: Mapping[str, Sequence[FileEntry]], as_of: datetime | None
) -> Iterator[str]:
    """Yield what defines the tables: macros over the files, and the one that finds the latest row of each key.

    The files that hold each of their keys alone are read as they are; only the others pay for finding the latest.
    """
    held = _with_rows_in_quarantine(store, manifest, as_of)
    # The quarantine comes first: the others are defined without what it holds.
    for table, schema in sorted(SCHEMAS.items(), key=lambda item: item[0] != "quarantine"):
        stored = [part for part in ("once", "revised") if f"{table}_{part}" in parts]
        for part in stored:
            yield _stored(schema, part, parts[f"{table}_{part}"], as_of)
            if table in held:
                yield _without_quarantined(schema, part)
        if not stored:
            yield statement(f"views/empty/{table}.sql")
            yield statement("macros/stored_nothing.sql", names={"macro": f"{table}_once", "table": f"{table}_empty"})
        without = "_without_quarantined" if stored and table in held else ""
        kind = "partly_revised" if len(stored) > 1 else "".join(stored) or "once"
        yield statement(
            f"macros/table_{kind}.sql",
            names={
                "macro": f"{table}_as_of",
                "once": f"{table}_once{without}",
                "revised": f"{table}_revised{without}",
                "key": schema.key,
            },
        )


def _stored(schema: TableSchema, part: str, entries: Sequence[FileEntry], as_of: datetime | None) -> str:
    """Return what defines the macro over some files of a table."""
    macro = f"{schema.name}_{part}"
    values: dict[str, Value] = {
        "files": f"{macro}_files",
        "several_schemas": len({entry.schema for entry in entries}) > 1,
        "as_of": _until(as_of),
    }
    if not schema.one_series_a_file:
        return statement(f"macros/stored_{part}.sql", values, {"macro": macro})
    others = [name for name in schema.columns if name != schema.series]
    names = {"macro": macro, "series": schema.series or "", "columns": others}
    return statement(f"macros/stored_{part}_by_series.sql", values, names)


def _without_quarantined(schema: TableSchema, part: str) -> str:
    """Return what defines the stored rows without what the quarantine held of them."""
    version = [*schema.key, "seen_at"]
    types = {name: "DATE" if schema.columns[name].is_(pl.Date) else "TIMESTAMPTZ" for name in version}
    types |= {name: "VARCHAR" for name in version if schema.columns[name].is_(pl.String)}
    return statement(
        "macros/stored_without_quarantined.sql",
        {"table": schema.name, "version": json.dumps(types)},
        {"macro": f"{schema.name}_{part}_without_quarantined", "all": f"{schema.name}_{part}", "columns": version},
    )


def _with_rows_in_quarantine(store: Store, manifest: Manifest, as_of: datetime | None) -> set[str]:
    """Return the tables of which the quarantine has, or had, a row."""
    if not manifest.entries("quarantine", as_of):
        return set()
    named = scan(store, "quarantine", as_of=as_of, manifest=manifest).select("table_name")
    return set(named.collect(engine="in-memory")["table_name"])


def _calendar(prices: Sequence[FileEntry]) -> SessionCalendar:
    """Return all sessions that any price can fall on; the view cuts them to the prices of the exchange."""
    first = min((entry.first for entry in prices if entry.first is not None), default=None)
    last = max((entry.last for entry in prices if entry.last is not None), default=None)
    return SessionCalendar(first, last)


def _names(connection: DuckDBPyConnection, store: Store, table: str, entries: Sequence[FileEntry]) -> set[str]:
    """Return the series of some files, from the files themselves where the manifest does not list them."""
    names = {name for entry in entries for name in entry.series or ()}
    unlisted = [entry for entry in entries if entry.series is None]
    if unlisted:
        text = statement(
            "views/series_in_files.sql", {"files": _paths(store, unlisted)}, {"column": SCHEMAS[table].series or ""}
        )
        names.update(name for (name,) in connection.execute(text).fetchall())
    return names
