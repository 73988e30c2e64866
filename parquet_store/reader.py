"""Reading: the latest row of each key among those seen by a moment, from the files that can hold it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.integrity import refuse_damage
from parquet_store.manifest import FileEntry, Manifest
from parquet_store.schema import TableSchema, table_schema
from parquet_store.store import Store, read_manifest

__all__ = ["data_paths", "latest_rows", "quarantined", "scan"]

_ORDER = "__order_written"


@dataclass(frozen=True)
class _Selection:
    as_of: datetime | None
    series: Collection[str] | None
    first: date | None
    last: date | None
    run_id: str | None


def scan(
    store: Store,
    table: str,
    *,
    as_of: datetime | None = None,
    series: Collection[str] | None = None,
    first: date | None = None,
    last: date | None = None,
    run_id: str | None = None,
    manifest: Manifest | None = None,
) -> pl.LazyFrame:
    """Return a table as it was known at a moment, sorted by key.

    Of the rows with one key the latest counts, by ``seen_at`` and, at the same moment, by the order written. Versions
    of rows that the quarantine held at that moment do not count.

    Parameters
    ----------
    table
        The table's name.
    as_of
        Only rows seen at or before this moment; it must bear a time zone. None: all.
    series, first, last
        Only these series and days (both ends included); files without them are not opened.
    run_id
        Only rows of this run, for the tables of sweeps; other runs' files are not opened.
    manifest
        The manifest to read under, so that several reads see the same store; None: the current one.

    Raises
    ------
    StoreError
        If there is no such table, it has no such column, `as_of` has no time zone, or a file is missing or damaged.
    """
    schema = table_schema(table)
    if as_of is not None and as_of.tzinfo is None:
        msg = f"as-of {as_of} has no time zone; give it one"
        raise StoreError(msg)
    held = read_manifest(store) if manifest is None else manifest
    chosen = _Selection(as_of, series, first, last, run_id)
    wanted = _wanted(schema, chosen)
    entries = [entry for entry in held.entries(table, as_of) if _may_hold(entry, chosen)]
    if not entries:
        return pl.LazyFrame(schema=dict(schema.columns))
    paths = data_paths(store, entries)
    refuse_damage(store, entries)
    rows = _rows(paths, entries, schema)
    seen = rows.filter(wanted) if wanted else rows
    return _latest(_without_held(seen, quarantined(store, table, held, as_of=as_of), schema), schema)


def quarantined(
    store: Store, table: str, manifest: Manifest | None = None, *, as_of: datetime | None = None
) -> pl.DataFrame:
    """Return the rows of a table that the quarantine held at a moment, with their own ``seen_at``.

    Rows that were never part of the table are not among them: no read has to leave them out.
    """
    schema = table_schema(table)
    nothing = pl.DataFrame(schema=dict(schema.columns))
    listed = read_manifest(store) if manifest is None else manifest
    if table == "quarantine" or not listed.entries("quarantine", as_of):
        return nothing
    held = scan(store, "quarantine", as_of=as_of, manifest=listed).filter(
        pl.col("table_name") == table, pl.col("status") == "held"
    )
    versions = held.filter(pl.col("row").str.contains('"seen_at":"', literal=True))
    rows = versions.select("row").collect(engine="in-memory")["row"]
    return nothing if rows.is_empty() else rows.str.json_decode(pl.Struct(dict(schema.columns))).struct.unnest()


def _without_held(rows: pl.LazyFrame, held: pl.DataFrame, schema: TableSchema) -> pl.LazyFrame:
    """Leave out those versions of rows that the quarantine holds."""
    if held.is_empty():
        return rows
    version = [*schema.key, "seen_at"]
    return rows.join(held.lazy().select(version), on=version, how="anti")


def latest_rows(paths: Sequence[Path], entries: Sequence[FileEntry], schema: TableSchema) -> pl.LazyFrame:
    """Return the latest row of each key in some files, sorted by key.

    Parameters
    ----------
    paths
        Where the files lie, which is in the staging folder before they are part of the store.
    entries
        Their entries, in the order written.
    """
    return _latest(_rows(paths, entries, schema), schema)


def data_paths(store: Store, entries: Iterable[FileEntry]) -> list[Path]:
    """Return where the files of entries lie.

    Raises
    ------
    StoreError
        If one of them is absent or not as long as the manifest says.
    """
    paths = []
    for entry in entries:
        path = store.root / entry.path
        try:
            size = path.stat().st_size
        except OSError:
            size = None
        if size != entry.bytes:
            what = "is missing" if size is None else f"has {size} bytes instead of {entry.bytes}"
            msg = f"the store's file {path} {what}; see what can be done with `engine data check --repair`"
            raise StoreError(msg)
        paths.append(path)
    return paths


def _may_hold(entry: FileEntry, chosen: _Selection) -> bool:
    if chosen.run_id is not None and entry.run_id not in (None, chosen.run_id):
        return False
    if chosen.series is not None and entry.series is not None and not set(chosen.series).intersection(entry.series):
        return False
    if chosen.first is not None and entry.last is not None and entry.last < chosen.first:
        return False
    return chosen.last is None or entry.first is None or entry.first <= chosen.last


def _rows(paths: Sequence[Path], entries: Sequence[FileEntry], schema: TableSchema) -> pl.LazyFrame:
    """Return the rows of all files with a column that rises in the order written."""
    if not schema.extra_columns:
        return pl.scan_parquet(list(paths), glob=False, schema=dict(schema.columns), row_index_name=_ORDER)
    # One scan for each set of columns: a scan for each file would keep hundreds of threads waiting.
    written = {str(path): order for order, path in enumerate(paths)}
    alike: dict[str, list[str]] = {}
    for path, entry in zip(written, entries, strict=True):
        alike.setdefault(entry.schema, []).append(path)
    scans = [pl.scan_parquet(paths, glob=False, include_file_paths=_ORDER) for paths in alike.values()]
    rows = pl.concat(scans, how="diagonal_relaxed")
    return rows.with_columns(pl.col(_ORDER).replace_strict(written, return_dtype=pl.UInt32))


def _wanted(schema: TableSchema, chosen: _Selection) -> list[pl.Expr]:
    wanted = []
    if chosen.as_of is not None:
        wanted.append(pl.col("seen_at") <= chosen.as_of)
    if chosen.series is not None:
        wanted.append(pl.col(_column(schema, schema.series, "series")).is_in(sorted(chosen.series)))
    if chosen.first is not None:
        wanted.append(pl.col(_column(schema, schema.date, "dates")) >= _begin(schema, chosen.first))
    if chosen.last is not None:
        wanted.append(pl.col(_column(schema, schema.date, "dates")) < _begin(schema, chosen.last + timedelta(days=1)))
    if chosen.run_id is not None:
        wanted.append(
            pl.col(_column(schema, "run_id" if "run_id" in schema.columns else None, "runs")) == chosen.run_id
        )
    return wanted


def _begin(schema: TableSchema, day: date) -> date | datetime:
    """Return the day, or the moment at which it begins (UTC) where a table is dated by moments."""
    if schema.date is not None and schema.columns[schema.date].is_(pl.Date):
        return day
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _column(schema: TableSchema, name: str | None, what: str) -> str:
    if name is None:
        msg = f"table '{schema.name}' has no {what} to choose by"
        raise StoreError(msg)
    return name


def _latest(rows: pl.LazyFrame, schema: TableSchema) -> pl.LazyFrame:
    if not schema.key:
        return rows.drop(_ORDER)
    ordered = rows.sort([*schema.key, "seen_at", _ORDER])
    return ordered.unique(subset=list(schema.key), keep="last", maintain_order=True).drop(_ORDER)
