"""The manifest: the one file that says which data files make up the store.

It is JSON, one file entry a line, and is replaced as a whole. Its id is the hash of the entries' text: it names the
data a result was computed from, and a damaged manifest is noticed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from parquet_store.errors import StoreError

__all__ = [
    "FORMAT",
    "FileEntry",
    "Manifest",
    "decode",
    "empty_manifest",
    "encode",
    "extended",
    "seen_by",
    "with_replaced",
]

FORMAT = 2
"""The version of the store's layout that this code writes. It reads the first one too, which named no raw files."""

_HEADER = b'"files":'


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One immutable data file.

    Attributes
    ----------
    table
        The table its rows belong to.
    path
        Where it lies, relative to the store, with forward slashes.
    rows, bytes, sha256
        Its size and the hash of its bytes.
    first, last
        The range of its dates (of moments: their days in UTC); None where the table has no date.
    series
        The series it holds, sorted; None where there are too many to list or the table has none.
    seen_at, seen_last
        The earliest and the latest moment at which its rows were seen.
    source
        The source of all its rows; None where they have several or none.
    run_id
        The run that wrote it, for ledgers.
    schema
        The fingerprint of its columns.
    unique_keys
        Whether no two of its rows have the same key. A file whose rows were seen at several moments may hold a key
        and its revisions.
    raw
        The sha256 of the raw files of the archive that its rows were parsed from; empty where there were none.
    """

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str
    first: date | None
    last: date | None
    series: tuple[str, ...] | None
    seen_at: datetime
    seen_last: datetime
    source: str | None
    run_id: str | None
    schema: str
    unique_keys: bool
    raw: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What the store held at one moment.

    Attributes
    ----------
    id
        The hash of all entries: equal ids mean equal data.
    generation
        How many changes the store has had.
    files
        The entries in the order in which they were written.
    body
        The entries as the text that the manifest's file holds and that the id is the hash of.
    """

    id: str
    generation: int
    files: tuple[FileEntry, ...]
    body: bytes = field(repr=False)

    def entries(self, table: str, as_of: datetime | None = None) -> tuple[FileEntry, ...]:
        """Return the files of a table, in the order written, that hold a row seen by `as_of` (None: now)."""
        return tuple(
            entry for entry in self.files if entry.table == table and (as_of is None or entry.seen_at <= as_of)
        )


def empty_manifest() -> Manifest:
    """Return the manifest of a store that holds nothing."""
    body = b"[\n]"
    return Manifest(id=sha256(body).hexdigest(), generation=0, files=(), body=body)


def extended(manifest: Manifest, entries: Iterable[FileEntry]) -> Manifest:
    """Return the next manifest: the same files and `entries` after them."""
    added = tuple(entries)
    lines = [_line(entry) for entry in added]
    body = manifest.body.removesuffix(b"\n]") + (b",\n" if manifest.files else b"\n") + b",\n".join(lines) + b"\n]"
    return Manifest(sha256(body).hexdigest(), manifest.generation + 1, (*manifest.files, *added), body)


def seen_by(manifest: Manifest, as_of: datetime) -> Manifest:
    """Return a manifest of those files only that hold a row seen by a moment; no store has it."""
    return with_replaced(manifest, {entry.path: None for entry in manifest.files if entry.seen_at > as_of})


def with_replaced(manifest: Manifest, replaced: Mapping[str, FileEntry | None]) -> Manifest:
    """Return the next manifest, in which some entries, named by their paths, have given way to others or to none."""
    files = tuple(entry for entry in (replaced.get(entry.path, entry) for entry in manifest.files) if entry is not None)
    body = b"[\n" + b",\n".join(map(_line, files)) + b"\n]" if files else b"[\n]"
    return Manifest(sha256(body).hexdigest(), manifest.generation + 1, files, body)


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as the bytes of its file."""
    header = json.dumps({"format": FORMAT, "generation": manifest.generation, "id": manifest.id})
    return header[:-1].encode() + b", " + _HEADER + manifest.body + b"}\n"


def decode(payload: bytes, path: Path) -> Manifest:
    """Return the manifest in `payload`, the bytes of the file at `path`.

    Raises
    ------
    StoreError
        If it was written by a newer version, or is damaged.
    """
    damaged = f"the manifest {path} is damaged; `engine data check --repair` puts its copy in its place"
    try:
        document = json.loads(payload)
        version = document["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(damaged) from error
    if not isinstance(version, int) or version > FORMAT:
        msg = (
            f"the store at {path.parent} has format {version}, and this version of the engine reads up to {FORMAT}; "
            "install a newer engine or choose another store with --store"
        )
        raise StoreError(msg)
    body = payload[payload.find(_HEADER) + len(_HEADER) :].rstrip()[:-1]
    if sha256(body).hexdigest() != document.get("id"):
        raise StoreError(damaged)
    files = tuple(_entry(item) for item in document["files"])
    return Manifest(id=document["id"], generation=document["generation"], files=files, body=body)


def _line(entry: FileEntry) -> bytes:
    return json.dumps(asdict(entry), default=_as_text, separators=(",", ":")).encode()


def _as_text(value: date | datetime) -> str:
    return value.isoformat()


def _entry(item: dict[str, Any]) -> FileEntry:
    return FileEntry(
        **{
            "unique_keys": item["seen_at"] == item["seen_last"],
            **item,
            "first": _day(item["first"]),
            "last": _day(item["last"]),
            "series": None if item["series"] is None else tuple(item["series"]),
            "seen_at": _moment(item["seen_at"]),
            "seen_last": _moment(item["seen_last"]),
            "raw": tuple(item.get("raw", ())),
        }
    )


# Thousands of files were written at few moments and begin and end on few days: each is read once.
@lru_cache(maxsize=4096)
def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


@lru_cache(maxsize=4096)
def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)
