"""Whether data files are what the manifest says they are, byte by byte."""

from collections.abc import Iterable
from hashlib import file_digest
from pathlib import Path

from parquet_store.errors import StoreError
from parquet_store.manifest import FileEntry
from parquet_store.store import Store

__all__ = ["damage", "refuse_damage"]

_Identity = tuple[str, int, int, int, str]
_sound: set[_Identity] = set()


def damage(store: Store, entry: FileEntry) -> str | None:
    """Return what is wrong with a file, in words; None if size and sha256 are those of its entry.

    Every byte is read, each time it is asked.
    """
    path = store.root / entry.path
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            return f"has {size} bytes instead of {entry.bytes}"
        with path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
    return None if digest == entry.sha256 else "has other bytes than were written"


def refuse_damage(store: Store, entries: Iterable[FileEntry]) -> None:
    """Refuse to read damaged files; a file is read through once a process, and again when it has been touched.

    Raises
    ------
    StoreError
        If one is damaged; the message names it.
    """
    for entry in entries:
        path = store.root / entry.path
        identity = _identity(path, entry)
        if identity is not None and identity in _sound:
            continue
        wrong = damage(store, entry)
        if wrong is not None:
            msg = f"the store's file {path} {wrong}; see what can be done with `engine data check --repair`"
            raise StoreError(msg)
        if identity is not None:
            _sound.add(identity)


def _identity(path: Path, entry: FileEntry) -> _Identity | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size, entry.sha256)
