"""Compaction: many small files into few, with every read of every moment staying what it was, to the bit."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, sync_folder
from parquet_store.integrity import damage
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest, with_replaced
from parquet_store.schema import SCHEMAS, TableSchema
from parquet_store.store import Store, read_manifest, replace_manifest
from parquet_store.writer import clear_staging, publish_staged, stage_file

__all__ = ["GRACE", "Compaction", "compact", "remove_unlisted", "unlisted_files"]

GRACE = timedelta(days=1)
"""How long a file stays after it was replaced, for readers that began before: longer than any of them takes."""

_ROWS_OF_A_FILE = 1_000_000


@dataclass(frozen=True)
class Compaction:
    """What a compaction did.

    Attributes
    ----------
    replaced, written
        The files that are no longer listed, and those that hold their rows now.
    manifest_id
        The store's manifest afterwards.
    """

    replaced: tuple[FileEntry, ...]
    written: tuple[FileEntry, ...]
    manifest_id: str


def compact(store: Store, *, rows: int = _ROWS_OF_A_FILE) -> Compaction:
    """Merge small files into larger ones, in one change of the store.

    All rows keep their values, their ``seen_at`` and the order in which they were written, so that every read as of
    every moment returns what it did. Only files that follow each other in their table are merged; bars, of which a file
    holds one symbol, are merged by symbol and year. Files of different runs or columns stay apart. The files that are
    replaced stay on the disk, for readers that began before; see `remove_unlisted`.

    Parameters
    ----------
    rows
        How many rows a merged file may have.

    Raises
    ------
    StoreError
        If a file to be merged is damaged, or the disk refuses; the store is as it was.
    """
    with (
        disk_faults_explained(f"the store at {store.root} could not be compacted and is unharmed"),
        exclusive(store.lock_path),
    ):
        manifest = read_manifest(store)
        clear_staging(store)
        groups = [group for table in SCHEMAS for group in _groups(manifest.entries(table), SCHEMAS[table], rows)]
        if not groups:
            return Compaction((), (), manifest.id)
        written = tuple(
            _merged(store, group, f"{manifest.generation + 1:08d}-c{position:05d}")
            for position, group in enumerate(groups)
        )
        publish_staged(store, written)
        replaced = tuple(entry for group in groups for entry in group)
        for entry in replaced:
            os.utime(store.root / entry.path)  # the moment of its replacement, from which its grace runs
        successor: dict[str, FileEntry | None] = dict.fromkeys((entry.path for entry in replaced), None)
        successor.update({group[0].path: entry for group, entry in zip(groups, written, strict=True)})
        after = with_replaced(manifest, successor)
        replace_manifest(store, after)
    return Compaction(replaced, written, after.id)


def unlisted_files(store: Store, manifest: Manifest) -> list[Path]:
    """Return the data files that the manifest does not list: replaced by a compaction, or left by a killed writer."""
    data = store.root / "data"
    listed = {entry.path for entry in manifest.files}
    found = (path for path in data.rglob("*") if path.is_file())
    return sorted(path for path in found if path.relative_to(store.root).as_posix() not in listed)


def remove_unlisted(store: Store, *, grace: timedelta = GRACE) -> list[Path]:
    """Remove data files that no manifest lists any more and that no reader can need.

    A reader works with the manifest of its beginning. A file that was replaced longer ago than any reader has been
    running is not in the manifest of any of them.

    Parameters
    ----------
    grace
        Files replaced or written within this time stay.

    Returns
    -------
    list of Path
        The files that were removed.
    """
    with (
        disk_faults_explained(f"files of the store at {store.root} could not be removed"),
        exclusive(store.lock_path),
    ):
        old = time.time() - grace.total_seconds()
        unlisted = unlisted_files(store, read_manifest(store))
        removed = [path for path in unlisted if path.stat().st_mtime <= old]
        for path in removed:
            path.unlink()
        for folder in {path.parent for path in removed}:
            sync_folder(folder)
    return removed


def _groups(entries: Sequence[FileEntry], schema: TableSchema, limit: int) -> Iterator[tuple[FileEntry, ...]]:
    """Yield the files that are to become one, two or more each."""
    if schema.one_series_a_file:
        ordered = sorted(entries, key=lambda entry: entry.series or ())
        for _, of_series in groupby(ordered, key=lambda entry: entry.series):
            for of_years in _by_years(list(of_series)):
                # All files that can share a key are together here, so that a part of them would break their order.
                if len(of_years) > 1 and sum(entry.rows for entry in of_years) <= limit:
                    yield of_years
        return
    for _, alike in groupby(entries, key=lambda entry: (entry.schema, entry.run_id)):
        yield from _filled(alike, limit)


def _filled(entries: Iterable[FileEntry], limit: int) -> Iterator[tuple[FileEntry, ...]]:
    group: list[FileEntry] = []
    for entry in entries:
        if group and sum(each.rows for each in group) + entry.rows > limit:
            if len(group) > 1:
                yield tuple(group)
            group = []
        group.append(entry)
    if len(group) > 1:
        yield tuple(group)


def _by_years(entries: Sequence[FileEntry]) -> Iterator[tuple[FileEntry, ...]]:
    """Yield the files of one series by the years they touch, as written; a file that touches two years joins both."""
    dated = sorted(
        (entry.first.year, entry.last.year, number)
        for number, entry in enumerate(entries)
        if entry.first is not None and entry.last is not None
    )
    group: list[int] = []
    until = 0
    for first, last, number in dated:
        if group and first > until:
            yield tuple(entries[each] for each in sorted(group))
            group = []
        group.append(number)
        until = max(until, last)
    if group:
        yield tuple(entries[each] for each in sorted(group))


def _merged(store: Store, entries: Sequence[FileEntry], number: str) -> FileEntry:
    """Write the rows of several files as one, in the order of their keys and then in the order written."""
    for entry in entries:
        wrong = damage(store, entry)
        if wrong is not None:
            msg = f"the store's file {store.root / entry.path} {wrong}; run `engine data check --repair` first"
            raise StoreError(msg)
    schema = SCHEMAS[entries[0].table]
    rows = pl.concat([pl.read_parquet(store.root / entry.path, glob=False) for entry in entries])
    if schema.key:
        rows = rows.sort([*schema.key, "seen_at"], maintain_order=True)
    raw = dict.fromkeys(digest for entry in entries for digest in entry.raw)
    return stage_file(store, schema, rows, number, run_id=entries[0].run_id, raw=tuple(raw))
