"""A simulated market into a store of its own: simulated and real rows never share a store."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest
from parquet_store.reader import scan
from parquet_store.schema import SCHEMAS, TableSchema, conform
from parquet_store.simulation.market import FIRST, LAST, simulate
from parquet_store.store import Store, read_manifest
from parquet_store.writer import SIMULATED, commit

__all__ = ["is_simulated", "write_simulated"]

_MARKET_TABLES = ("prices", "actions", "macro")


def is_simulated(store: Store, *, manifest: Manifest | None = None) -> bool:
    """Say whether a store holds simulated market data.

    Parameters
    ----------
    manifest
        The manifest to read under; None: the current one.

    Raises
    ------
    StoreError
        If the manifest cannot be read.
    """
    held = read_manifest(store) if manifest is None else manifest
    return any(entry.source == SIMULATED for entry in _market_files(held))


def write_simulated(
    store: Store, seed: int | None = None, *, first: date = FIRST, last: date = LAST
) -> tuple[FileEntry, ...]:
    """Write a simulated market into a store that holds nothing else.

    Rows that the store holds already are left out, so that a second run changes nothing and a later `last` adds the
    rest. Each row is marked as seen at the moment it became known: an ``as_of`` in the past shows what a store fed
    daily would have shown.

    Parameters
    ----------
    seed, first, last
        As in `simulate`.

    Returns
    -------
    tuple of FileEntry
        The files written; none where nothing was new.

    Raises
    ------
    StoreError
        If the store holds real market data or another simulated market, the arguments are wrong, or the disk refuses.
    """
    market = simulate(seed, first, last)
    frames = {"prices": market.prices, "actions": market.actions, "macro": market.macro}
    with disk_faults_explained(f"writing to the store at {store.root}"), exclusive(store.lock_path):
        manifest = read_manifest(store)
        _refuse_real(store, manifest)
        rows = _not_held(store, manifest, frames)
        return commit(store, manifest, rows) if rows else ()


def _market_files(manifest: Manifest) -> tuple[FileEntry, ...]:
    return tuple(entry for entry in manifest.files if entry.table in _MARKET_TABLES)


def _refuse_real(store: Store, manifest: Manifest) -> None:
    if any(entry.source != SIMULATED for entry in _market_files(manifest)):
        msg = (
            f"the store at {store.root} holds real market data, and simulated rows must not mix with it; "
            "choose another folder for the simulated market with --store"
        )
        raise StoreError(msg)


def _not_held(
    store: Store, manifest: Manifest, frames: Mapping[str, pl.DataFrame]
) -> list[tuple[TableSchema, pl.DataFrame]]:
    """Return the rows whose keys the store does not hold, by table; refuse if a held row says something else."""
    missing = []
    for table, frame in frames.items():
        schema = SCHEMAS[table]
        offered = conform(frame.with_columns(pl.col("known_at").alias("seen_at")), schema)
        held = scan(store, table, manifest=manifest).collect(engine="in-memory")
        common = offered.join(held.select(schema.key), on=schema.key, how="semi", maintain_order="left")
        if not common.equals(held.join(offered.select(schema.key), on=schema.key, how="semi", maintain_order="left")):
            msg = (
                f"the store at {store.root} already holds another simulated market (of another seed or version); "
                "choose another folder with --store"
            )
            raise StoreError(msg)
        new = offered.join(held.select(schema.key), on=schema.key, how="anti", maintain_order="left")
        if new.height:
            missing.append((schema, new))
    return missing
