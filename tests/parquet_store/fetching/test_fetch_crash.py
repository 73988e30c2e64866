"""A fetch killed at any file operation leaves the store of before or of after, and a re-run finishes the work."""

import errno
import os
import shutil
import signal
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from parquet_store import StoreError, open_store, read_manifest
from parquet_store.fetching import fetch
from parquet_store.fetching.raw_archive import archive_folder, kept_answers, kept_fetches
from tests.parquet_store.fetching.made_up_market import LAST, universe
from tests.parquet_store.fetching.replay_server import Fault
from tests.parquet_store.fetching.stored import each_row_is_in, same, stored
from tests.parquet_store.file_operations import killed_at, recorded

MORE_THAN_THERE_ARE = 1000
SERIES = ["SPREAD"]


def fetch_all(root: Path) -> None:
    evening = datetime.combine(LAST, time(23, 30), UTC)
    fetch(open_store(root), series=SERIES, universe=universe(), now=evening)


def killed(root: Path, number: int, provider: str) -> None:
    """Fetch in a child process, which has the environment of the process that first asked for a child, not of ours."""
    os.environ["ENGINE_FRED_URL"] = provider
    killed_at(number, half_written=True, work=lambda: fetch_all(root))


def test_kill_at_every_file_operation(processes, tmp_path, replay, fetched):
    """A row is in the quarantine as well, so that all three steps of a write are cut."""
    before = stored(open_store(fetched[0]))
    finished = tmp_path / "finished"
    shutil.copytree(fetched[0], finished)
    replay.faults = [Fault("garbage", "SPREAD")]
    fetch_all(finished)
    after = stored(open_store(finished))
    outcomes = []
    for number in range(1, MORE_THAN_THERE_ARE):
        root = tmp_path / "victim"
        shutil.copytree(fetched[0], root)
        replay.faults = [Fault("garbage", "SPREAD")]
        child = processes.Process(target=killed, args=(root, number, replay.base))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        store = open_store(root)
        found = stored(store)
        outcomes.append("after" if same(found, after) else "before")
        assert same(found, before) or same(found, after)
        for path in kept_fetches(store):
            assert kept_answers(path)
        if number % 3 == 0:
            fetch_all(root)
            assert each_row_is_in(after, stored(store))
            assert not list(archive_folder(store).glob("*.unfinished"))
        shutil.rmtree(root)
    turn = outcomes.index("after")
    assert turn > 20
    assert set(outcomes[:turn]) == {"before"}
    assert set(outcomes[turn:]) == {"after"}


def test_bytes_are_kept_before_rows_refer_to_them(tmp_path, replay, fetched):
    root = tmp_path / "store"
    shutil.copytree(fetched[0], root)
    trace = recorded(lambda: fetch_all(root))
    (newest,) = set(kept_fetches(open_store(root))) - {root / "raw" / p.name for p in (fetched[0] / "raw").iterdir()}
    renamed = trace.index(("replace to", str(newest)))
    listed = [place for place, step in enumerate(trace) if step == ("replace to", str(root / "manifest.json"))]
    assert trace.index(("fsync", str(newest.parent))) > renamed
    assert renamed < listed[0]
    assert newest.stem.split("Z-")[-1] in read_manifest(open_store(root)).files[-1].raw
    assert replay.log


@pytest.mark.parametrize("limit", [0, 1])
def test_a_full_disk_leaves_the_store_as_it_was(tmp_path, replay, fetched, monkeypatch, limit):
    root = tmp_path / "store"
    shutil.copytree(fetched[0], root)
    before, count, write = stored(open_store(root)), 0, os.write

    def full(descriptor, payload):
        nonlocal count
        count += 1
        if count > limit:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, payload)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="the disk is full; free some space and run the same command again"):
        fetch_all(root)
    monkeypatch.undo()
    assert same(stored(open_store(root)), before)
    assert replay.log
