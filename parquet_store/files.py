"""File operations that survive a crash: what is written here is on the disk before anything refers to it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parquet_store.errors import StoreError

__all__ = ["disk_faults_explained", "make_folder", "publish", "sync_folder", "write_synced"]

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file would be larger than the system allows; raise the limit (ulimit -f) and run it again",
    errno.EROFS: "the disk is read-only; choose another place with --store",
    errno.EACCES: "writing there is not permitted; choose another place with --store",
    errno.EPERM: "writing there is not permitted; choose another place with --store",
}


@contextmanager
def disk_faults_explained(doing: str) -> Iterator[None]:
    """Turn an operating system error into a `StoreError` that says what to do.

    Parameters
    ----------
    doing
        The message's beginning: what could not be done.
    """
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, f"the system says: {error.strerror or error}")
        msg = f"{doing}: {remedy}"
        raise StoreError(msg) from error


def make_folder(folder: Path) -> None:
    """Create a folder (and those above it) that is still there after a crash."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, payload: bytes | memoryview) -> None:
    """Write a file and wait until its bytes are on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        rest = memoryview(payload)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)  # on a full disk the part that was written would keep it full
        raise
    finally:
        os.close(descriptor)


def publish(staged: Path, final: Path) -> None:
    """Give a written file its final name in one step, and make the name durable."""
    os.replace(staged, final)  # noqa: PTH105 - the one rename that the tests intercept, spelled as the system call
    sync_folder(final.parent)
