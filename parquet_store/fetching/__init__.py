"""Fetching: the data set from its providers into the store, kept current by a daily run."""

from parquet_store.fetching.asking import Pace
from parquet_store.fetching.fetcher import asked_series, fetch, plan
from parquet_store.fetching.plan import SeriesPlan, plan_table
from parquet_store.fetching.rebuilder import RebuildReport, rebuild
from parquet_store.fetching.report import FetchReport
from parquet_store.fetching.vintages import fetch_vintages

__all__ = [
    "FetchReport",
    "Pace",
    "RebuildReport",
    "SeriesPlan",
    "asked_series",
    "fetch",
    "fetch_vintages",
    "plan",
    "plan_table",
    "rebuild",
]
