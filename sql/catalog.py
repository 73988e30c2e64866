"""What a connection offers: a view and an as-of macro for each table of the store and each series derived from them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from duckdb import DuckDBPyConnection

from parquet_store import SCHEMAS, FileEntry, Manifest, Store, Universe
from sql.held import columns_of, held_series
from sql.overlap import split_by_overlap
from sql.session_calendar import SessionCalendar
from sql.statements import statement

__all__ = ["VIEWS", "data_files", "define"]

VIEWS = (
    "prices",
    "actions",
    "macro",
    "adjusted",
    "sessions",
    "panel",
    "panel_long",
    "series",
    "sweep_runs",
    "sweep_results",
)
"""The views, in the order in which they are offered. All but ``series`` have a macro ``NAME_as_of(moment)``."""

_MACROS = (
    "prices_as_of",
    "actions_as_of",
    "macro_as_of",
    "sweep_runs_as_of",
    "sweep_results_as_of",
    "sessions_as_of",
    "adjusted_as_of",
    "aligned_as_of",
    "panel_long_as_of",
)
"""In the order in which they build on each other; the panel's follows."""


def define(
    connection: DuckDBPyConnection, store: Store, manifest: Manifest, universe: Universe, as_of: datetime | None
) -> None:
    """Define all views and macros over what `manifest` lists, as it was seen by `as_of` (None: all).

    Nothing is read but the footers of a file of each table.
    """
    until = "infinity" if as_of is None else as_of.isoformat()
    connection.register("session_calendar", _calendar(manifest.entries("prices", as_of)))
    held = held_series(
        universe,
        prices=_names(connection, store, "prices", manifest.entries("prices", as_of)),
        macro=_names(connection, store, "macro", manifest.entries("macro", as_of)),
    )
    script = [
        statement("views/empty.sql"),
        *_stored(store, manifest, as_of, until),
        statement("views/series.sql", {**columns_of(held)}),
        *(statement(f"macros/{name}.sql", {"as_of": until}) for name in _MACROS),
        statement("macros/panel_as_of.sql", {"series": [each.series for each in held]})
        if held
        else statement("macros/panel_as_of_without_series.sql"),
        statement("views/current.sql"),
    ]
    connection.execute("\n".join(script))


def data_files(store: Store, manifest: Manifest, as_of: datetime | None) -> list[str]:
    """Return the paths of all files that the views read."""
    return [path for table in SCHEMAS for path in _paths(store, manifest.entries(table, as_of))]


def _paths(store: Store, entries: Sequence[FileEntry]) -> list[str]:
    root = store.root.resolve()
    return [str(root / entry.path) for entry in entries]


def _stored(store: Store, manifest: Manifest, as_of: datetime | None, until: str) -> Iterator[str]:
    """Yield the views over the files: of each table those that hold their keys alone, and those that share some."""
    for table, schema in SCHEMAS.items():
        entries = manifest.entries(table, as_of)
        once, revised = split_by_overlap(entries) if schema.key else (list(entries), [])
        for part, files in (("once", once), ("revised", revised)):
            names = {"view": f"{table}_{part}", "table": table}
            if not files:
                yield statement("views/stored_nothing.sql", names=names)
                continue
            yield statement(
                "views/stored_files.sql",
                {
                    "files": _paths(store, files),
                    "several_schemas": len({entry.schema for entry in files}) > 1,
                    "as_of": until,
                },
                names,
            )


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
