"""Stored bars, file by file: the table is too large to be held as a whole."""

from datetime import datetime

import polars as pl

from parquet_store.bars.rules import bar_fault
from parquet_store.manifest import Manifest
from parquet_store.quarantine import REASON
from parquet_store.reader import data_paths, quarantined
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store

__all__ = ["faulty_bars"]


def faulty_bars(store: Store, manifest: Manifest, *, as_of: datetime | None = None) -> pl.DataFrame:
    """Return all versions of bars seen by a moment that are faulty and not in quarantine, with ``reason``."""
    schema = SCHEMAS["bars"]
    fault = bar_fault().alias(REASON)
    found = [pl.DataFrame(schema={**schema.columns, REASON: pl.String()})]
    seen = pl.lit(value=True) if as_of is None else pl.col("seen_at") <= as_of
    for path in data_paths(store, manifest.entries("bars", as_of)):
        rows = pl.read_parquet(path, glob=False).filter(seen).with_columns(fault)
        if rows[REASON].null_count() < rows.height:
            found.append(rows.filter(pl.col(REASON).is_not_null()))
    held = quarantined(store, "bars", manifest, as_of=as_of)
    version = [*schema.key, "seen_at"]
    return pl.concat(found).join(held.select(version), on=version, how="anti", maintain_order="left")
