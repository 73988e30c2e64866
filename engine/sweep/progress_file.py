"""How far a sweep has come and what it has learned by then, beside the ledger, replaced in one step.

The file lets an interrupted sweep go on where it stopped, and answers for a finished one what its dropped results were.
It is never ahead of the ledger: results are stored first. Where it is behind, some combinations are evaluated twice and
stored once.
"""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine.sweep.statistics import Statistics
from parquet_store import Store
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced

__all__ = ["Progress", "read_progress", "write_progress"]

_HEADER = struct.Struct("<8sq")
_MAGIC = b"SWEEP\x00\x00\x01"


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come.

    Attributes
    ----------
    start
        The number of the first combination that is not yet evaluated.
    statistics
        What is known about those before it.
    """

    start: int
    statistics: Statistics


def write_progress(store: Store, run_id: str, progress: Progress) -> None:
    """Replace what is noted about a run.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    path = _path(store, run_id)
    with disk_faults_explained(f"the progress of the sweep could not be noted in {path}"):
        make_folder(path.parent)
        staged = path.with_suffix(".new")
        write_synced(staged, _HEADER.pack(_MAGIC, progress.start) + progress.statistics.to_bytes())
        publish(staged, path)


def read_progress(store: Store, run_id: str) -> Progress | None:
    """Return what is noted about a run; None if nothing is, or it cannot be read."""
    try:
        payload = _path(store, run_id).read_bytes()
        magic, start = _HEADER.unpack_from(payload)
        if magic != _MAGIC:
            return None
        return Progress(start, Statistics.from_bytes(payload[_HEADER.size :]))
    except (OSError, ValueError, KeyError, EOFError, struct.error, zipfile.BadZipFile):
        return None


def _path(store: Store, run_id: str) -> Path:
    return store.root / "sweeps" / f"{run_id}.progress"
