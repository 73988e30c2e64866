"""Cboe: the history of an index of its own, as one CSV file; no key, no choice of days."""

import polars as pl

from parquet_store.sources.http import base_url, connect
from parquet_store.sources.interface import Answer, Ask, Limits, Parsed, Request, Source, Span
from parquet_store.sources.tables import csv_cells, read_cells, refuse_mostly_unreadable
from parquet_store.universe import SeriesSpec

__all__ = ["SOURCE"]

_HEADER = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")


def _fetch(spec: SeriesSpec, span: Span, ask: Ask) -> tuple[Answer, ...]:  # noqa: ARG001 - the file is always whole
    base = base_url("ENGINE_CBOE_URL", "https://cdn.cboe.com")
    return (ask(Request(f"{base}/api/global/us_indices/daily_prices/{spec.symbol}_History.csv")),)


def _parse(spec: SeriesSpec, body: bytes) -> Parsed:  # noqa: ARG001 - the file does not name its series
    cells = csv_cells(body, [_HEADER])
    rows, rejected = read_cells(cells, "DATE", date_format="%m/%d/%Y")
    refuse_mostly_unreadable(rejected, cells.height)
    named = rows.rename({name: name.lower() for name in _HEADER[1:]})
    return Parsed(named.with_columns(pl.lit(None, pl.Float64).alias("volume")), rejected=rejected)


SOURCE = Source("Cboe", Limits(per_minute=30, burst=4, at_once=2), connect, _fetch, _parse, always_whole=True)
