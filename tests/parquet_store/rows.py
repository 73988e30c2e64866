"""Small tables of the store, made by hand."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl

from parquet_store import Store, read_manifest, scan

MONDAY = date(2024, 1, 8)
NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)


def moment(minutes: int) -> datetime:
    """Return a moment, some minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def macro(values: Mapping[tuple[str, int], float], source: str = "test") -> pl.DataFrame:
    """Return rows of the table macro: a value by series and number of days after the first Monday."""
    days = [MONDAY + timedelta(days=day) for _, day in values]
    return pl.DataFrame(
        {
            "series": [series for series, _ in values],
            "date": days,
            "value": list(values.values()),
            "unit": "percent",
            "known_at": [datetime(day.year, day.month, day.day, 22, tzinfo=UTC) for day in days],
            "source": source,
        },
        schema_overrides={"known_at": pl.Datetime("us", "UTC"), "value": pl.Float64},
    )


def prices(closes: Mapping[tuple[str, int], float], source: str = "test") -> pl.DataFrame:
    """Return rows of the table prices: a close by symbol and number of days after the first Monday."""
    bare = macro(closes, source).rename({"series": "symbol", "value": "close"}).drop("unit")
    empty = [pl.lit(None, pl.Float64).alias(name) for name in ("open", "high", "low", "volume")]
    return bare.with_columns(*empty, pl.lit("split_adjusted").alias("basis"))


def held(store: Store, table: str = "macro", as_of: datetime | None = None) -> dict[tuple[str, int], float]:
    """Return what a table holds, in the form that `macro` and `prices` take."""
    rows = scan(store, table, as_of=as_of).collect()
    names = ("series", "value") if table == "macro" else ("symbol", "close")
    selected = rows.select(names[0], "date", names[1]).iter_rows()
    return {(series, (day - MONDAY).days): value for series, day, value in selected}


def contents(store: Store) -> tuple[int, dict[str, pl.DataFrame]]:
    """Return everything a reader can see: the number of changes and every table."""
    manifest = read_manifest(store)
    tables = ("prices", "actions", "macro", "sweep_runs", "sweep_results")
    return manifest.generation, {table: scan(store, table, manifest=manifest).collect() for table in tables}
