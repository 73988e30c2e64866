"""Disks that refuse: full, limited, read-only, forbidden. Real ones, each skipped only where the system lacks it."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from parquet_store import Store, StoreError, append, export, open_store
from tests.parquet_store.rows import contents, held, macro

NOBODY = 65534


def message_of(processes, target, *args) -> str:
    """Run `target` in a process of its own and return what it reports."""
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=target, args=(sender, *args))
    child.start()
    sender.close()
    message = receiver.recv()
    child.join()
    return message


def attempt(sender, work) -> None:
    try:
        work()
    except StoreError as error:
        sender.send(str(error))
    else:
        sender.send("it worked")


def many_rows() -> pl.DataFrame:
    return macro({(series, day): hash((series, day)) / 1e9 for series in "ABCDEFGH" for day in range(1, 400)})


def append_with_limit(sender, root: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    attempt(sender, lambda: append(open_store(root), "macro", many_rows()))


@pytest.mark.parametrize("limit", [0, 1, 500, 4096])
def test_file_size_limit(processes, tmp_path, limit):
    store = open_store(tmp_path / "store", create=True)
    append(store, "macro", macro({("A", 0): 1.0}))
    before = contents(store)
    message = message_of(processes, append_with_limit, store.root, limit)
    assert "could not be written and is unharmed: the file would be larger than the system allows" in message
    assert contents(store)[0] == before[0]
    assert list(store.staging.iterdir()) == []
    append(store, "macro", macro({("A", 1): 2.0}))
    assert held(store) == {("A", 0): 1.0, ("A", 1): 2.0}


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 64 KiB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(store: Store) -> int:
    """Append until the disk is full, and return how often that worked."""
    for written in range(1000):
        try:
            append(store, "macro", macro({("A", written): written + 1.0}))
        except StoreError as error:
            assert "unharmed: the disk is full; free some space" in str(error)  # noqa: PT017 - the count is needed too
            return written
    pytest.fail("the disk never filled up")


def test_full_disk(small_disk):
    store = open_store(small_disk / "store", create=True)
    written = fill(store)
    assert written > 0
    expected = {("A", number): number + 1.0 for number in range(written)}
    assert held(store) == expected
    assert list(store.staging.iterdir()) == []
    # With space again, the same command finishes.
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    append(store, "macro", macro({("A", written): 0.5}))
    assert held(store) == {**expected, ("A", written): 0.5}


def test_read_only_disk(small_disk):
    store = open_store(small_disk / "store", create=True)
    append(store, "macro", macro({("A", 0): 1.0}))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="the disk is read-only; choose another place with --store"):
        append(store, "macro", macro({("A", 1): 1.0}))
    with pytest.raises(StoreError, match=r"no store could be made at .*read-only"):
        open_store(small_disk / "another", create=True)
    with pytest.raises(StoreError, match=r"out\.csv could not be written: the disk is read-only"):
        export(store, "macro", small_disk / "out.csv")
    assert held(open_store(store.root)) == {("A", 0): 1.0}


def append_as_nobody(sender, root: Path) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    attempt(sender, lambda: append(open_store(root), "macro", macro({("A", 1): 1.0})))


def read_as_nobody(sender, root: Path) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    sender.send(held(open_store(root)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_store_of_another_user_can_be_read_and_not_written(processes, tmp_path):
    store = open_store(tmp_path / "store", create=True)
    append(store, "macro", macro({("A", 0): 1.0}))
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o005)
    message = message_of(processes, append_as_nobody, store.root)
    assert "unharmed: writing there is not permitted; choose another place with --store" in message
    assert message_of(processes, read_as_nobody, store.root) == {("A", 0): 1.0}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_write_permission(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(StoreError, match="writing there is not permitted"):
        open_store(tmp_path / "store", create=True)
