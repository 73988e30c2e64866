"""Series as wholes: stale, without their beginning, of two bases or units, or with prices out of order."""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from parquet_store.checks.findings import Finding
from parquet_store.schema import SCHEMAS
from parquet_store.universe import SeriesSpec, Universe
from parquet_store.value_rules import out_of_order
from parquet_store.writer import SIMULATED

__all__ = ["check_series"]

_LATE_START = timedelta(days=31)


def check_series(table: str, rows: pl.DataFrame, universe: Universe, today: date) -> Iterator[Finding]:
    """Yield what is to be said of each series of a table.

    Parameters
    ----------
    table
        ``prices``, ``macro`` or ``actions``.
    rows
        Its current rows, sorted by key.
    today
        The day against which staleness is measured.
    """
    for (key,), of_series in rows.group_by([SCHEMAS[table].key[0]], maintain_order=True):
        name = str(key)
        yield from _conventions(table, name, of_series)
        spec = universe.find(name)
        if spec is not None and table == spec.table and of_series["source"][0] != SIMULATED:
            yield from _range(table, name, of_series, spec, today)
        if table == "prices":
            yield from _disordered_prices(name, of_series)


def _conventions(table: str, name: str, rows: pl.DataFrame) -> Iterator[Finding]:
    for convention in SCHEMAS[table].conventions:
        words = rows[convention].unique().sort().to_list()
        if len(words) > 1:
            what = f"its {convention} is both {' and '.join(words)}"
            yield Finding("fault", table, what, "export it, and import each part under its own name", series=name)


def _range(table: str, name: str, rows: pl.DataFrame, spec: SeriesSpec, today: date) -> Iterator[Finding]:
    first, last = rows["date"][0], rows["date"][-1]
    if spec.starts is not None and first - spec.starts > _LATE_START:
        what = f"it begins on {first}; the provider has had it from {spec.starts} on"
        yield Finding("notice", table, what, "import the earlier history if you have it", series=name, date=first)
    age = (today - last).days
    if age > spec.stale_after_days:
        what = f"its last date is {age} days old; more than {spec.stale_after_days} is stale"
        yield Finding("notice", table, what, "fetch it, or import a newer file", series=name, date=last)


def _disordered_prices(name: str, rows: pl.DataFrame) -> Iterator[Finding]:
    """Find days whose high or low is not the highest or lowest; one finding a series, since providers have many."""
    disordered = rows.filter(out_of_order())
    if disordered.height:
        what = f"{disordered.height} rows have a price above their high or below their low"
        remedy = "the close may be right; do not use the other prices of these days"
        yield Finding("notice", "prices", what, remedy, series=name, date=disordered["date"][0])
