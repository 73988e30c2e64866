"""What an import reports: the files as they were recognised, and for each series what was new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from parquet_store.importing.adjusted import adjusted_difference
from parquet_store.importing.plausibility import order_notes
from parquet_store.importing.shapes import ParsedFile
from parquet_store.reader import scan
from parquet_store.revisions import Revision
from parquet_store.schema import MAIN_VALUE, SCHEMAS, TableSchema
from parquet_store.store import Store, read_manifest

__all__ = ["ImportReport", "import_report"]

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    files
        ``file``, ``shape`` (what it was recognised as) and ``rows``, one row a file.
    series
        One row a table and series: ``table``, ``series``, ``first``, ``last``, ``new``, ``revised``, ``unchanged``,
        ``without_value`` (rows of the files left out because they hold no value) and ``adjusted_difference``
        (largest difference between derived and given adjusted returns; null where no adjusted closes were given).
    notes
        Sentences for the user.
    seen_at
        The moment under which the rows were written.
    manifest_id
        The store's manifest after the import.
    """

    files: pl.DataFrame
    series: pl.DataFrame
    notes: tuple[str, ...]
    seen_at: datetime
    manifest_id: str


def import_report(
    store: Store,
    parsed: Sequence[ParsedFile],
    merged: Mapping[str, pl.DataFrame],
    complete: Mapping[str, pl.DataFrame],
    revision: Revision,
    notes: Sequence[str],
) -> ImportReport:
    """Return the report of an import.

    Parameters
    ----------
    parsed
        The files.
    merged, complete
        The files' rows by table, and those of them that hold a value.
    revision
        What was written of the latter.
    notes
        What is to be said of the rows already.
    """
    counts = [
        _counts(table, revision.rows[table], merged[table], SCHEMAS[table])
        for table, rows in complete.items()
        if not rows.is_empty()
    ]
    series = pl.concat(counts)
    said: list[str] = list(notes)
    differences = pl.DataFrame(schema={"symbol": pl.String, "adjusted_difference": pl.Float64})
    if "prices" in complete:
        differences, more = _against_adjusted_closes(store, complete["prices"])
        said += [*order_notes(complete["prices"]), *more]
    files = pl.DataFrame(
        {
            "file": [str(file.table.path) for file in parsed],
            "shape": [file.shape for file in parsed],
            "rows": [file.table.frame.height for file in parsed],
        }
    )
    of_prices = differences.with_columns(pl.lit("prices").alias("table")).rename({"symbol": "series"})
    return ImportReport(
        files=files,
        series=series.join(of_prices, on=["table", "series"], how="left", maintain_order="left"),
        notes=tuple(said),
        seen_at=revision.seen_at,
        manifest_id=read_manifest(store).id,
    )


def _counts(table: str, states: pl.DataFrame, offered: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    state, empty = pl.col("state"), pl.col(MAIN_VALUE[table]).is_null()
    by_series = pl.col(schema.key[0]).alias("series")
    left_out = offered.group_by(by_series).agg(empty.sum().alias("without_value"))
    counted = states.group_by(by_series).agg(
        pl.col("date").min().alias("first"),
        pl.col("date").max().alias("last"),
        *((state == word).sum().alias(word) for word in ("new", "revised", "unchanged")),
    )
    return counted.join(left_out, on="series").sort("series").select(pl.lit(table).alias("table"), pl.all())


def _against_adjusted_closes(store: Store, prices: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Compare the adjusted closes that were given with those that the store's dividends derive."""
    given = prices.drop_nulls("adj_close")
    if given.is_empty():
        return given.select("symbol", pl.col("adj_close").alias("adjusted_difference")), []
    held = scan(store, "actions", series=given["symbol"].unique()).filter(pl.col("kind") == "dividend")
    differences = adjusted_difference(given, held.select("symbol", "date", "value").collect(engine="in-memory"))
    notes = ["adj_close was not stored: adjusted closes are derived from close and dividends"]
    unlike = differences.filter(pl.col("adjusted_difference") > _TOLERANCE)["symbol"].to_list()
    if unlike:
        notes.append(
            f"the adjusted closes given for {', '.join(unlike)} differ from the derived ones by more than "
            f"{_TOLERANCE:g} in a day's return; import all dividends of these series"
        )
    return differences, notes
