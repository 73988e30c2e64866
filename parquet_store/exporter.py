"""Out of the store: the current rows of a table as CSV, Parquet or JSON."""

import os
import secrets
from collections.abc import Collection
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, get_args

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, write_synced
from parquet_store.reader import scan
from parquet_store.schema import table_schema
from parquet_store.store import Store

__all__ = ["ExportFormat", "export"]

ExportFormat = Literal["csv", "parquet", "json"]


def export(
    store: Store,
    table: str,
    out: str | Path | IO[bytes],
    *,
    format: ExportFormat | None = None,  # noqa: A002 - the flag's own name
    series: Collection[str] | None = None,
    first: date | None = None,
    last: date | None = None,
    as_of: datetime | None = None,
) -> int:
    """Write the rows of a table as they were known at a moment, sorted by key, and return how many there are.

    An export of prices, actions or macro series can be imported again.

    Parameters
    ----------
    out
        A file, replaced as a whole, or an open binary stream.
    format
        ``csv``, ``parquet`` or ``json`` (a list of objects); None: by the file's name.
    series, first, last, as_of
        As in `scan`.

    Raises
    ------
    StoreError
        If a series is not in the table, no row is left, the format is unknown, the file would lie inside the store,
        or the disk refuses.
    """
    chosen = format or _format_of(out)
    if chosen not in get_args(ExportFormat):
        msg = f"the format {chosen} is unknown; use --format {'|'.join(get_args(ExportFormat))}"
        raise StoreError(msg)
    rows = scan(store, table, series=series, first=first, last=last, as_of=as_of).collect(engine="in-memory")
    _refuse_absent(store, table, rows, series)
    buffer = BytesIO()
    _write(rows, buffer, chosen)
    if isinstance(out, str | Path):
        _replace(store, Path(out), buffer)
    else:
        out.write(buffer.getbuffer())
    return rows.height


def _format_of(out: str | Path | IO[bytes]) -> str:
    suffix = Path(out).suffix.lower().removeprefix(".") if isinstance(out, str | Path) else ""
    return suffix or "csv"


def _refuse_absent(store: Store, table: str, rows: pl.DataFrame, series: Collection[str] | None) -> None:
    column = table_schema(table).series
    if series is not None and column is not None:
        absent = sorted(set(series) - set(rows[column]))
        if absent:
            msg = (
                f"the table {table} of the store at {store.root} has no rows of {', '.join(absent)} in that range; "
                "see `engine data status`, or bring them in with `engine data import FILE`"
            )
            raise StoreError(msg)
    if rows.is_empty():
        msg = f"the table {table} of the store at {store.root} has no such rows; see `engine data status`"
        raise StoreError(msg)


def _write(rows: pl.DataFrame, buffer: BytesIO, chosen: str) -> None:
    match chosen:
        case "csv":
            rows.write_csv(buffer)
        case "json":
            rows.write_json(buffer)
        case _:
            rows.write_parquet(buffer, compression="zstd")


def _replace(store: Store, path: Path, buffer: BytesIO) -> None:
    if path.resolve().is_relative_to(store.root.resolve()):
        msg = f"{path} lies inside the store at {store.root}; export to another folder"
        raise StoreError(msg)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with disk_faults_explained(f"{path} could not be written"):
        try:
            write_synced(beside, buffer.getbuffer())
            os.replace(beside, path)  # noqa: PTH105 - the system call by its name
        finally:
            beside.unlink(missing_ok=True)
