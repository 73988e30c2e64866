"""What can be done about what a check found: damaged files made again, faulty rows put into quarantine."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from parquet_store.checks.check import CheckReport
from parquet_store.checks.files import described
from parquet_store.checks.restore import restore_file
from parquet_store.fetching.raw_archive import archive_lock
from parquet_store.files import disk_faults_explained, make_folder, sync_folder
from parquet_store.integrity import damage
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, with_replaced
from parquet_store.quarantine import not_yet_held, quarantine_rows
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store, read_manifest, replace_manifest
from parquet_store.writer import append, clear_staging

__all__ = ["RepairReport", "drop_answers", "drop_files", "repair_store"]


@dataclass(frozen=True)
class RepairReport:
    """What a repair did.

    Attributes
    ----------
    restored
        The files that were made again, byte for byte or with the same rows.
    lost
        The files that could not be, each with what it held and how to get it again.
    quarantined
        How many faulty rows went to the quarantine.
    """

    restored: tuple[FileEntry, ...]
    lost: tuple[tuple[FileEntry, str], ...]
    quarantined: int


def repair_store(store: Store, report: CheckReport, *, seen_at: datetime | None = None) -> RepairReport:
    """Repair what a check found: nothing is removed, and nothing that can be read now changes for earlier moments.

    A damaged file is made again from the raw answers that its entry names. Faulty rows go to the quarantine, which
    keeps them out of reads from now on; `parquet_store.quarantine.release` brings them back.

    Raises
    ------
    StoreError
        If the disk refuses.
    """
    restored: list[FileEntry] = []
    lost: list[tuple[FileEntry, str]] = []
    with (
        disk_faults_explained(f"the store at {store.root} could not be repaired and is as it was"),
        exclusive(store.lock_path),
    ):
        clear_staging(store)
        for entry in report.damaged:
            remedy = restore_file(store, read_manifest(store), entry)
            if remedy is None:
                restored.append(entry)
            else:
                lost.append((entry, f"{described(entry)}: {remedy}"))
    return RepairReport(tuple(restored), tuple(lost), _quarantine(store, report, seen_at))


def drop_files(store: Store, entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Take damaged files out of the store, so that what is left can be read and their rows can come in again.

    The files are moved to ``damaged/`` and not removed. Files that are sound by now stay.

    Returns
    -------
    tuple of FileEntry
        The entries that the store no longer lists.
    """
    with (
        disk_faults_explained(f"the store at {store.root} could not be changed and is as it was"),
        exclusive(store.lock_path),
    ):
        manifest = read_manifest(store)
        listed = {entry.path for entry in manifest.files}
        dropped = tuple(entry for entry in entries if entry.path in listed and damage(store, entry) is not None)
        if not dropped:
            return ()
        clear_staging(store)
        replace_manifest(store, with_replaced(manifest, dict.fromkeys((entry.path for entry in dropped), None)))
        _put_aside(store, [store.root / entry.path for entry in dropped])
    return dropped


def drop_answers(store: Store, paths: Iterable[Path]) -> tuple[Path, ...]:
    """Move damaged files of the raw archive to ``damaged/``; the rows that were read from them stay where they are.

    Returns
    -------
    tuple of Path
        Where they lay.
    """
    with archive_lock(store):
        dropped = tuple(path for path in paths if path.exists())
        if dropped:
            _put_aside(store, dropped)
    return dropped


def _put_aside(store: Store, paths: Iterable[Path]) -> None:
    folder = store.root / "damaged"
    make_folder(folder)
    for path in paths:
        if path.exists():
            os.replace(path, folder / path.name)  # noqa: PTH105 - the system call by its name
    sync_folder(folder)


def _quarantine(store: Store, report: CheckReport, seen_at: datetime | None) -> int:
    frames = [quarantine_rows(SCHEMAS[table], rows) for table, rows in report.faulty.items()]
    if not frames:
        return 0
    rows = not_yet_held(store, read_manifest(store), pl.concat(frames))
    if not rows.is_empty():
        append(store, "quarantine", rows, seen_at=seen_at)
    return rows.height
