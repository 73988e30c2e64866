"""Importing files: read all, check all, then write once."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.importing.conventions import store_rows
from parquet_store.importing.declarations import Declarations
from parquet_store.importing.plausibility import split_by_bounds
from parquet_store.importing.raw import FILE, LINE, import_error, list_files, place, read_raw
from parquet_store.importing.report import ImportReport, import_report
from parquet_store.importing.shapes import parse
from parquet_store.revisions import revise
from parquet_store.schema import MAIN_VALUE, SCHEMAS, TableSchema
from parquet_store.store import Store
from parquet_store.universe import Basis, Known, Universe, load_universe

__all__ = ["import_files"]


def import_files(
    store: Store,
    paths: Iterable[str | Path],
    *,
    name: str | None = None,
    kind: str | None = None,
    unit: str | None = None,
    basis: Basis | None = None,
    known: Known | None = None,
    source: str | None = None,
    seen_at: datetime | None = None,
    universe: Universe | None = None,
) -> ImportReport:
    """Import CSV and Parquet files in one change of the store: a reader sees all of it or nothing.

    Rows that the store holds already are not written again; a changed row is written as a revision. Values outside the
    bounds of their series in the universe go to the quarantine, in the same change, and the report says so. Of a file
    with ``close`` and ``adj_close`` the close is kept, since adjusted closes are derived from dividends.

    Parameters
    ----------
    paths
        Files, and folders whose ``.csv`` and ``.parquet`` files are taken.
    name
        The name of the one series in the files, where they do not bear it or it shall be another.
    kind
        ``prices``, ``macro`` or ``actions``, where the universe does not know the series.
    unit
        The unit of the macro values in the files: ``percent``, ``basis_points``, ``index``, ``usd``, ``ratio``,
        ``count``. Percent and basis points are converted to the unit of the universe.
    basis
        What the closes have been adjusted for: ``split_adjusted``, ``dividend_adjusted``, ``index``.
    known
        The rule by which values become known, where the universe does not know the series; prices are known at
        their session's close if nothing else is said.
    source
        Where the files come from; the provider whose shape a file has, or the file's name, if not given.
    seen_at
        When the rows were seen; None: now.
    universe
        The series' conventions; None: those the project ships.

    Raises
    ------
    EngineError
        One sentence with file, line, column and remedy, before anything is written; also if more than a tenth of a
        series' values lie outside its bounds.
    """
    declared = Declarations(name, kind, unit, basis, known, source)
    parsed = [parse(read_raw(path), kind) for path in list_files(paths)]
    known_series = universe or load_universe()
    tables = store_rows(parsed, declared, known_series)
    merged = {table: pl.concat(frames) for table, frames in tables.items()}
    complete = {table: _checked(frame, SCHEMAS[table]) for table, frame in sorted(merged.items())}
    quarantine: list[pl.DataFrame] = []
    notes: list[str] = []
    for table, frame in complete.items():
        complete[table], held, said = split_by_bounds(store, table, frame, known_series)
        quarantine.append(held)
        notes += said
    if all(frame.is_empty() for frame in complete.values()):
        raise import_error(", ".join(str(file.table.path) for file in parsed), "no row holds a value")
    rows = [
        (table, frame.select(name for name in SCHEMAS[table].columns if name != "seen_at"))
        for table, frame in complete.items()
        if not frame.is_empty()
    ]
    revision = revise(store, rows, beside=[("quarantine", pl.concat(quarantine))], seen_at=seen_at)
    return import_report(store, parsed, merged, complete, revision, notes)


def _checked(rows: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Return the rows of one table that hold a value, sorted by key; refuse what cannot be one series' history."""
    value = MAIN_VALUE[schema.name]
    complete = rows.filter(pl.col(value).is_not_null()).sort([*schema.key, FILE, LINE])
    for column in schema.positive:
        wrong = complete.filter(pl.col(column) <= 0)
        if wrong.height:
            raise _row_error(wrong, schema, f"{column} is {wrong[column][0]:g} and must be above zero; mend the row")
    for column, words in schema.choices.items():
        wrong = complete.filter(~pl.col(column).is_in(words))
        if wrong.height:
            raise _row_error(wrong, schema, f"{column} is '{wrong[column][0]}'; use one of {', '.join(words)}")
    repeated = complete.filter(pl.struct(schema.key).is_duplicated())
    if repeated.height:
        first, second = repeated.select(FILE, LINE).head(2).rows()
        what = f"the same row is also in {place(*first)}; keep one of them"
        raise _row_error(repeated.slice(1), schema, what, repeated=place(*second))
    return complete


def _row_error(rows: pl.DataFrame, schema: TableSchema, what: str, repeated: str | None = None) -> EngineError:
    row = rows.row(0, named=True)
    key = " ".join(str(row[name]) for name in schema.key)
    return import_error(repeated or place(row[FILE], row[LINE]), f"{key}: {what}")
