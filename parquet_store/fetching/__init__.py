"""Fetching: the data set from its providers into the store, kept current by a daily run."""

from parquet_store.fetching.asking import Pace
from parquet_store.fetching.fetcher import fetch, plan
from parquet_store.fetching.plan import plan_table
from parquet_store.fetching.report import FetchReport

__all__ = ["FetchReport", "Pace", "fetch", "plan", "plan_table"]
