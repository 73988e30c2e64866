"""The quarantine: rows that were found bad, kept with the reason, out of every read until a person confirms them.

A quarantine row holds the whole row as JSON. If that row was never part of its table, it has no ``seen_at``. If it was,
its ``seen_at`` stands in the JSON, and reads leave out that version of the row from the moment of the quarantine on:
reads as of an earlier moment stay as they were. A release is a newer quarantine row of the same key.
"""

import polars as pl

from parquet_store.manifest import Manifest
from parquet_store.reader import scan
from parquet_store.schema import TableSchema, table_schema
from parquet_store.store import Store

__all__ = ["REASON", "not_yet_held", "quarantine_rows"]

REASON = "reason"
"""The column that says what is wrong with a row."""


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
    day = pl.col(schema.date).cast(pl.Date) if schema.date is not None else pl.lit(None, pl.Date)
    return rows.select(
        pl.lit(schema.name).alias("table_name"),
        pl.col(schema.series or schema.key[0]).fill_null("").alias("series"),
        day.alias("date"),
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
    key = list(table_schema("quarantine").key)
    held = scan(store, "quarantine", manifest=manifest).select(key).collect(engine="in-memory")
    return rows.join(held, on=key, how="anti", nulls_equal=True, maintain_order="left")
