"""Rows kept out of reads: which wait for a second answer, which are confirmed, which the quarantine has already."""

import json
import math
from datetime import date, timedelta

import polars as pl

from parquet_store.fetching.held import Held
from parquet_store.schema import MAIN_VALUE, SCHEMAS

__all__ = ["JUMP", "confirmed_days", "days_waiting", "not_yet_held", "rejected_as_quarantine", "released"]

JUMP = "jump"
"""How the reason of a row begins that waits for a second answer to confirm it."""

_CONFIRMED = "confirmed: a second answer gave the same value"
_SAME = 1e-6
_PATIENCE = timedelta(days=60)


def rejected_as_quarantine(
    table: str, series: str, source: str, raw_sha256: str, rejected: pl.DataFrame
) -> pl.DataFrame:
    """Return rejected rows as rows of the table quarantine, without ``seen_at``.

    Parameters
    ----------
    rejected
        ``date``, ``row`` (all values as JSON) and ``reason``.
    """
    columns = [name for name in SCHEMAS["quarantine"].columns if name != "seen_at"]
    constants = {
        "table_name": table,
        "series": series,
        "status": "held",
        "source": source,
        "raw_sha256": raw_sha256,
    }
    named = rejected.with_columns(pl.lit(value).alias(name) for name, value in constants.items())
    return named.select(columns).unique(subset=["table_name", "series", "date", "row"], maintain_order=True)


def not_yet_held(rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return the quarantine rows that are not in quarantine already, so that a daily run does not repeat itself."""
    key = ["table_name", "series", "date", "row"]
    return rows.join(held.select(key), on=key, how="anti", nulls_equal=True, maintain_order="left")


def days_waiting(held: Held, today: date) -> list[date]:
    """Return the days whose rows are in quarantine and have not come in since; after two months nobody waits."""
    if held.quarantined.is_empty():
        return []
    recent = pl.col("seen_at").dt.date() >= today - _PATIENCE
    waiting = held.quarantined.filter((pl.col("status") == "held") & recent).drop_nulls("date")
    known = waiting.join(held.rows.select("date", pl.col("seen_at").alias("known")), on="date", how="left")
    open_days = known.filter(pl.col("known").is_null() | (pl.col("known") <= pl.col("seen_at")))
    return open_days["date"].unique().sort().to_list()


def confirmed_days(table: str, rows: pl.DataFrame, quarantined: pl.DataFrame) -> pl.DataFrame:
    """Return the quarantine rows that an answer confirms: it gives the same value for their day again.

    A row that a person released counts as confirmed too, whatever it was held for.

    Parameters
    ----------
    rows
        The rows of the answer: ``date`` and the table's main value.
    quarantined
        The series' rows in quarantine.
    """
    values = dict(rows.select("date", MAIN_VALUE[table]).rows())
    of_table = quarantined.filter((pl.col("table_name") == table) & (_waits() | (pl.col("status") == "released")))
    again = [
        day in values and _same(values[day], json.loads(row).get(MAIN_VALUE[table]))
        for day, row in of_table.select("date", "row").rows()
    ]
    return of_table.filter(pl.Series(again, dtype=pl.Boolean))


def released(confirmed: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that write into the quarantine that its rows have been confirmed, without ``seen_at``."""
    held = confirmed.filter(pl.col("status") == "held").drop("seen_at")
    return held.with_columns(pl.lit("released").alias("status"), pl.lit(_CONFIRMED).alias("reason"))


def _waits() -> pl.Expr:
    return (pl.col("status") == "held") & pl.col("reason").str.starts_with(JUMP)


def _same(value: float, other: object) -> bool:
    return isinstance(other, int | float) and math.isclose(value, other, rel_tol=_SAME)
