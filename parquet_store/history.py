"""How the rows of a series have changed: every version that the store has seen, and the differences between them."""

from datetime import datetime

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.manifest import Manifest
from parquet_store.reader import data_paths
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store, read_manifest
from parquet_store.universe import Universe, load_universe

__all__ = ["list_revisions", "versions"]

_TABLES = ("prices", "actions", "macro")
_ORDER = "__order_written"
_NOT_VALUES = frozenset({"seen_at", "source", "known_at", "basis", "unit"})


def versions(store: Store, table: str, series: str, *, manifest: Manifest | None = None) -> pl.DataFrame:
    """Return every row ever written of a series, by key, ``seen_at`` and order written.

    Raises
    ------
    StoreError
        If a file is missing or cut short.
    """
    schema = SCHEMAS[table]
    held = read_manifest(store) if manifest is None else manifest
    entries = [entry for entry in held.entries(table) if entry.series is None or series in entry.series]
    if not entries:
        return pl.DataFrame(schema=dict(schema.columns))
    rows = pl.scan_parquet(
        data_paths(store, entries), glob=False, schema=dict(schema.columns), row_index_name=_ORDER
    ).filter(pl.col(schema.key[0]) == series)
    return rows.sort([*schema.key, "seen_at", _ORDER]).drop(_ORDER).collect(engine="in-memory")


def list_revisions(
    store: Store, series: str, *, as_of: datetime | None = None, universe: Universe | None = None
) -> pl.DataFrame:
    """Return what has changed in a series after it was first seen, and by how much.

    Parameters
    ----------
    series
        A name, a provider's symbol or an alias of the universe, or any other name that the store holds.
    as_of
        Only what was seen by this moment; None: all.

    Returns
    -------
    polars.DataFrame
        One row a change: ``table``, ``date``, ``column`` (for corporate actions their kind), ``before``, ``after``,
        ``change`` (after less before), ``seen_before``, ``seen_at``, ``source``; by ``seen_at`` and date.

    Raises
    ------
    StoreError
        If the store does not hold the series.
    """
    spec = (universe or load_universe()).find(series)
    name = series if spec is None else spec.name
    manifest = read_manifest(store)
    rows = {table: versions(store, table, name, manifest=manifest) for table in _TABLES}
    if all(each.is_empty() for each in rows.values()):
        msg = f"the store at {store.root} has no rows of {name}; see `engine data status`"
        raise StoreError(msg)
    seen = {table: each if as_of is None else each.filter(pl.col("seen_at") <= as_of) for table, each in rows.items()}
    return pl.concat([_changes(table, each) for table, each in seen.items()]).sort("seen_at", "table", "date", "column")


def _changes(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the changes between successive versions of each key, a row a column that changed."""
    schema = SCHEMAS[table]
    values = [name for name in schema.columns if name not in _NOT_VALUES and name not in schema.key]
    previous = [pl.col(name).shift(1).over(schema.key).alias(f"{name}_before") for name in (*values, "seen_at")]
    paired = rows.with_columns(previous).filter(pl.col("seen_at_before").is_not_null())
    changes = [
        paired.filter(pl.col(name).ne_missing(pl.col(f"{name}_before"))).select(
            pl.lit(table).alias("table"),
            "date",
            (pl.col("kind") if table == "actions" else pl.lit(name)).alias("column"),
            pl.col(f"{name}_before").alias("before"),
            pl.col(name).alias("after"),
            (pl.col(name) - pl.col(f"{name}_before")).alias("change"),
            pl.col("seen_at_before").alias("seen_before"),
            "seen_at",
            "source",
        )
        for name in values
    ]
    return pl.concat(changes)
