"""Files against the manifest: size, sha256, and the order of their rows."""

import polars as pl

from parquet_store.checks.findings import Finding
from parquet_store.integrity import damage
from parquet_store.manifest import FileEntry
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store

__all__ = ["check_file", "described"]


def check_file(store: Store, entry: FileEntry) -> Finding | None:
    """Compare a file's size and sha256 with its entry, and look whether its rows are in order."""
    wrong = damage(store, entry)
    if wrong is None and not _in_order(store, entry):
        wrong = "has rows that do not ascend by key and seen_at"
    if wrong is None:
        return None
    return Finding(
        "damage",
        entry.table,
        f"the file {wrong}; it holds {described(entry)}",
        "`engine data check --repair` makes it again from the raw answers, or says how to get its rows again",
        series=entry.series[0] if entry.series is not None and len(entry.series) == 1 else None,
        date=entry.first,
        file=entry.path,
    )


def described(entry: FileEntry) -> str:
    """Return what a file holds, in words: how many rows of which series, from when to when."""
    several = f"{len(entry.series)} series" if entry.series is not None and len(entry.series) > 3 else None
    series = several or ", ".join(entry.series or ()) or "a ledger's rows"
    days = "" if entry.first is None else f" from {entry.first} to {entry.last}"
    return f"{entry.rows:,} rows of {series}{days}, seen on {entry.seen_at:%Y-%m-%d}"


def _in_order(store: Store, entry: FileEntry) -> bool:
    """Say whether a file's rows ascend by key and ``seen_at``; rows of one moment stand in the order written."""
    schema = SCHEMAS[entry.table]
    if not schema.key:
        return True
    order = [*schema.key, "seen_at"]
    keys = pl.read_parquet(store.root / entry.path, columns=order, glob=False)
    falls = pl.lit(value=False)
    for name in reversed(order):
        before = pl.col(name).shift(1)
        falls = (pl.col(name) < before).fill_null(value=False) | (pl.col(name).eq_missing(before) & falls)
    return not keys.select(falls.slice(1).any()).item()
