"""Rows that cannot be right, by the same rules by which a fetch judges what comes in."""

from datetime import date

import polars as pl

from parquet_store.fetching.checks import believable
from parquet_store.fetching.jumps import jumps
from parquet_store.quarantine import REASON
from parquet_store.schema import MAIN_VALUE, SCHEMAS
from parquet_store.universe import SeriesSpec, Universe

__all__ = ["faulty_rows"]


def faulty_rows(table: str, rows: pl.DataFrame, universe: Universe, today: date) -> pl.DataFrame:
    """Return the rows of a table that are faulty, with the column ``reason``.

    A row is faulty if it lies in the future, off its calendar or outside plausible bounds, if its prices contradict
    each other, or if its value jumps away and the next one comes back.

    Parameters
    ----------
    table
        ``prices`` or ``macro``.
    rows
        Current rows of whole series, sorted by key. What surrounds a row decides whether it is a jump.
    universe
        The calendars and bounds. Of a series that it does not name, only days in the future are looked for.
    """
    found = [
        _of_series(of_series, universe.find(str(name)), today)
        for (name,), of_series in rows.group_by([SCHEMAS[table].key[0]], maintain_order=True)
    ]
    return pl.concat(found) if found else rows.with_columns(pl.lit(None, pl.String).alias(REASON))


def _of_series(rows: pl.DataFrame, spec: SeriesSpec | None, today: date) -> pl.DataFrame:
    if spec is None:
        return rows.filter(pl.col("date") > today).with_columns(pl.lit("the day is in the future").alias(REASON))
    value = MAIN_VALUE[spec.table]
    sound, unbelievable = believable(spec, rows, today)
    leaps = jumps(spec, sound, sound.select("date", value).clear())
    reasons = pl.concat([unbelievable.select("date", REASON), leaps.select("date", REASON)])
    return rows.join(reasons, on="date", how="inner", maintain_order="left")
