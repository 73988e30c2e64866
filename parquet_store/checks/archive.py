"""The raw archive: whether every provider's answer is still what came."""

from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from parquet_store.checks.findings import Finding
from parquet_store.fetching.raw_archive import kept_fetches, moment_of
from parquet_store.manifest import Manifest
from parquet_store.store import Store

__all__ = ["check_archive"]

_TABLE = "raw"


def check_archive(store: Store, manifest: Manifest, as_of: datetime | None) -> tuple[list[Path], list[Finding]]:
    """Return the files of the archive whose bytes are not those of their name, and what is to be said of all.

    Rows read from a damaged or absent file are in the tables and unharmed; but they could not be made again from it.

    Parameters
    ----------
    manifest
        Names the files that rows were read from.
    as_of
        Only files of fetches by this moment; None: all.
    """
    files = [path for path in kept_fetches(store) if as_of is None or moment_of(path) <= as_of]
    damaged = [path for path in files if not _is_what_came(path)]
    findings = [_damage(store, path) for path in damaged]
    there = {_digest(path) for path in files}
    absent = sorted({digest for entry in manifest.files for digest in entry.raw} - there)
    findings += [_absence(manifest, digest) for digest in absent] if as_of is None else []
    return damaged, findings


def _digest(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _is_what_came(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest() == _digest(path)
    except OSError:
        return False


def _damage(store: Store, path: Path) -> Finding:
    return Finding(
        "damage",
        _TABLE,
        f"the answers fetched at {moment_of(path):%Y-%m-%d %H:%M} UTC have other bytes than came; the rows read from "
        "them are unharmed, and could not be made again",
        "restore the file from a backup, or take it out with `engine data check --drop`",
        file=path.relative_to(store.root).as_posix(),
    )


def _absence(manifest: Manifest, digest: str) -> Finding:
    files = sum(digest in entry.raw for entry in manifest.files)
    return Finding(
        "notice",
        _TABLE,
        f"the answers {digest[:12]} are not in the archive; {files} files of rows were read from them",
        "restore them from a backup if there is one: without them these files could not be made again",
    )
