"""The quarantine: rows that were found bad, kept with the reason, out of every read until a person confirms them.

A quarantine row holds the whole row as JSON. If that row was never part of its table, it has no ``seen_at``. If it was,
its ``seen_at`` stands in the JSON, and reads leave out that version of the row from the moment of the quarantine on:
reads as of an earlier moment stay as they were. A release is a newer quarantine row of the same key.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.manifest import Manifest
from parquet_store.reader import scan
from parquet_store.schema import MAIN_VALUE, SCHEMAS, TableSchema, conform, table_schema
from parquet_store.store import Store, read_manifest
from parquet_store.writer import append_many, with_seen_at

__all__ = ["REASON", "Release", "not_confirmed", "not_yet_held", "quarantine_rows", "release"]

REASON = "reason"
"""The column that says what is wrong with a row."""

_KEY = SCHEMAS["quarantine"].key


@dataclass(frozen=True)
class Release:
    """What a release did.

    Attributes
    ----------
    rows
        The quarantine rows that were released.
    entered
        How many of them were never part of their table, are complete, and are now.
    waiting
        How many of them were never part of their table and lack something; the next fetch or import brings them in.
    """

    rows: pl.DataFrame
    entered: int
    waiting: int


def quarantine_rows(schema: TableSchema, rows: pl.DataFrame, *, raw_sha256: str | None = None) -> pl.DataFrame:
    """Return rows of a table as rows of the table quarantine, without ``seen_at``.

    Parameters
    ----------
    schema
        The schema of the table that the rows are of, or were meant for.
    rows
        Columns of that table, and `REASON`. With ``seen_at``: versions of rows that the table holds. Without: rows that
        were not let in.
    raw_sha256
        The raw file that they were parsed from.
    """
    own = [name for name in schema.columns if name in rows.columns]
    return rows.select(
        pl.lit(schema.name).alias("table_name"),
        pl.col(schema.series or schema.key[0]).fill_null("").alias("series"),
        _day(schema).alias("date"),
        pl.struct(own).struct.json_encode().alias("row"),
        pl.col(REASON),
        pl.lit("held").alias("status"),
        pl.col("source").fill_null(""),
        pl.lit(raw_sha256, pl.String).alias("raw_sha256"),
    )


def not_yet_held(store: Store, manifest: Manifest, rows: pl.DataFrame) -> pl.DataFrame:
    """Return those rows of the table quarantine that it does not hold yet, in whatever status."""
    if not manifest.entries("quarantine"):
        return rows
    held = scan(store, "quarantine", manifest=manifest).select(_KEY).collect(engine="in-memory")
    return rows.join(held, on=_KEY, how="anti", nulls_equal=True, maintain_order="left")


def not_confirmed(
    store: Store, manifest: Manifest, table: str, rows: pl.DataFrame, *, as_of: datetime | None = None
) -> pl.DataFrame:
    """Return the rows of which no release, by a moment, has confirmed the same series, day and main value."""
    if not manifest.entries("quarantine", as_of) or rows.is_empty():
        return rows
    schema = SCHEMAS[table]
    value = MAIN_VALUE[table]
    released = scan(store, "quarantine", manifest=manifest, as_of=as_of).filter(
        pl.col("table_name") == table, pl.col("status") == "released"
    )
    given = pl.col("row").str.json_path_match(f"$.{value}").cast(pl.Float64, strict=False)
    confirmed = released.select("series", "date", given.alias(value)).collect(engine="in-memory")
    return rows.join(
        confirmed,
        left_on=[pl.col(schema.series or ""), _day(schema), pl.col(value)],
        right_on=["series", "date", value],
        how="anti",
        maintain_order="left",
    )


def release(
    store: Store, table: str, series: str, *, day: date | None = None, seen_at: datetime | None = None
) -> Release:
    """Confirm rows that the quarantine holds: from now on reads return them.

    Parameters
    ----------
    table, series
        Whose rows.
    day
        Only those of this day; None: all.
    seen_at
        As in `append_many`.

    Raises
    ------
    StoreError
        If the quarantine holds no such row.
    """
    schema = table_schema(table)
    manifest = read_manifest(store)
    wanted = (pl.col("table_name") == table) & (pl.col("series") == series) & (pl.col("status") == "held")
    if day is not None:
        wanted &= pl.col("date") == day
    held = scan(store, "quarantine", manifest=manifest).filter(wanted).drop("seen_at").collect(engine="in-memory")
    if held.is_empty():
        of_day = "" if day is None else f" on {day}"
        msg = f"the quarantine holds no row of {series} in {table}{of_day}; see `engine sql 'FROM quarantine'`"
        raise StoreError(msg)
    never_stored = ~pl.col("row").str.contains('"seen_at":"', literal=True)
    outside = held.filter(never_stored)
    complete = _complete(outside, schema)
    frames = [("quarantine", held.with_columns(pl.lit("released").alias("status")))]
    if not complete.is_empty():
        frames.append((table, complete))
    append_many(store, frames, seen_at=seen_at)
    return Release(held, entered=complete.height, waiting=outside.height - complete.height)


def _complete(rows: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Return the rows in the JSON of quarantine rows that could stand in their table as they are."""
    columns = {name: dtype for name, dtype in schema.columns.items() if name != "seen_at"}
    found = [pl.DataFrame(schema=columns)]
    for text, source in rows.select("row", "source").iter_rows():
        try:
            row = pl.Series([text]).str.json_decode(pl.Struct(columns)).struct.unnest()
            row = row.with_columns(pl.col("source").fill_null(source))
            conform(with_seen_at(row, datetime.now(UTC)), schema)
        except (StoreError, pl.exceptions.PolarsError):
            continue
        found.append(row)
    return pl.concat(found)


def _day(schema: TableSchema) -> pl.Expr:
    return pl.lit(None, pl.Date) if schema.date is None else pl.col(schema.date).cast(pl.Date)
