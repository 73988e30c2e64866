"""Count the file operations of a writer, and kill it at one of them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

OPERATIONS = ("open", "write", "fsync", "replace", "rename", "mkdir", "unlink", "remove", "close", "ftruncate", "link")
"""Every function of `os` by which Python changes files; the store writes through no other way."""


@contextmanager
def intercepted(before: Callable[[str, tuple[object, ...]], None]) -> Iterator[None]:
    """Call `before` with name and arguments ahead of every file operation of this process."""
    originals = {name: getattr(os, name) for name in OPERATIONS}

    def wrapped(name):
        @wraps(originals[name])
        def operation(*args, **kwargs):
            before(name, args)
            return originals[name](*args, **kwargs)

        return operation

    for name in OPERATIONS:
        setattr(os, name, wrapped(name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def killed_at(number: int, *, half_written: bool, work: Callable[[], object]) -> None:
    """Do `work`, and die by SIGKILL ahead of file operation `number`, a write being half done if so asked."""
    count = 0
    write = os.write

    def before(name: str, args: tuple[object, ...]) -> None:
        nonlocal count
        count += 1
        if count == number:
            if half_written and name == "write":
                descriptor, payload = args
                write(descriptor, payload[: len(payload) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    with intercepted(before):
        work()


def recorded(work: Callable[[], object]) -> list[tuple[str, str]]:
    """Do `work` and return its file operations, each with the path it concerns."""
    trace: list[tuple[str, str]] = []
    paths: dict[int, str] = {}
    original_open = os.open

    def before(name: str, args: tuple[object, ...]) -> None:
        path = paths.get(args[0], "?") if isinstance(args[0], int) else str(args[0])
        trace.append((name, path))
        if name in ("replace", "rename"):
            trace.append((f"{name} to", str(args[1])))

    def opening(path, *args, **kwargs):
        trace.append(("open", str(path)))
        descriptor = original_open(path, *args, **kwargs)
        paths[descriptor] = str(Path(path))
        return descriptor

    with intercepted(before):
        os.open = opening
        work()
    return trace
