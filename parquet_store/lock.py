"""One writer at a time: an advisory lock that the system itself gives back when its holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parquet_store.errors import StoreError

__all__ = ["LockHeldError", "exclusive"]

_PAUSE = 0.02


class LockHeldError(StoreError):
    """Another writer holds the lock."""


@contextmanager
def exclusive(path: Path, *, wait: float = 60.0) -> Iterator[None]:
    """Hold the lock file at `path`, against other processes and other threads of this one.

    The file stays when the lock is given back: the lock is the system's record, not the file's existence, so that the
    lock of a process that died never blocks.

    Parameters
    ----------
    path
        The lock file; made if absent.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    LockHeldError
        If another writer still holds the lock after `wait` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, path, time.monotonic() + wait)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                msg = f"another process is writing to the store at {path.parent}; try again when it has finished"
                raise LockHeldError(msg) from None
            time.sleep(_PAUSE)
        else:
            return
