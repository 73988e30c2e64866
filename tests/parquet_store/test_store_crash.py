"""A writer killed at any file operation leaves the store of before or of after, and a re-run finishes the work."""

import os
import shutil
import signal
import sys
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from parquet_store import append_many, import_files, open_store, read_manifest
from tests.parquet_store.file_operations import killed_at, recorded
from tests.parquet_store.rows import contents, macro, moment, prices

MORE_THAN_THERE_ARE = 1000


def write_two_tables(root: Path) -> None:
    """Write a revision of one table and the first rows of another, in one change."""
    store = open_store(root, create=True)
    rows = [("macro", macro({("A", 0): 2.0, ("B", 0): 1.0})), ("prices", prices({("SPY", 0): 100.0}))]
    append_many(store, rows, seen_at=moment(10))


def import_a_folder(root: Path) -> None:
    """Import three files, as the command does."""
    import_files(open_store(root, create=True), [root.parent / "files"], seen_at=moment(10))


def files_to_import(folder: Path) -> None:
    folder.mkdir()
    (folder / "BAA.csv").write_text("observation_date,BAA,UNRATE\n2024-01-01,5.0,3.7\n2024-02-01,5.1,3.9\n")
    (folder / "SPY.csv").write_text("Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,1,2,1,2,2,5\n")
    (folder / "dividends.csv").write_text("symbol,date,dividend\nSPY,2024-03-15,1.5\n")


def killed(root: Path, number: int, half_written: bool, write) -> None:
    killed_at(number, half_written=half_written, work=lambda: write(root))


def run_killed(processes, root: Path, number: int, *, half_written: bool, write) -> bool:
    """Run a writer that dies at an operation, and say whether it got that far."""
    child = processes.Process(target=killed, args=(root, number, half_written, write))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def check_sound(store) -> None:
    """Check every listed file against its entry."""
    for entry in read_manifest(store).files:
        payload = (store.root / entry.path).read_bytes()
        assert (len(payload), sha256(payload).hexdigest()) == (entry.bytes, entry.sha256)


def same(left, right) -> bool:
    return left[0] == right[0] and all(left[1][table].equals(right[1][table]) for table in right[1])


@pytest.mark.parametrize(
    ("write", "half_written"), [(write_two_tables, False), (write_two_tables, True), (import_a_folder, True)]
)
def test_kill_at_every_file_operation(processes, tmp_path, write, half_written):
    files_to_import(tmp_path / "files")
    original = tmp_path / "original"
    append_many(open_store(original, create=True), [("macro", macro({("A", 0): 1.0}))], seen_at=moment(0))
    before = contents(open_store(original))
    finished = tmp_path / "finished"
    shutil.copytree(original, finished)
    write(finished)
    after = contents(open_store(finished))
    outcomes = []
    for number in range(1, MORE_THAN_THERE_ARE):
        root = tmp_path / "victim"
        shutil.copytree(original, root)
        if not run_killed(processes, root, number, half_written=half_written, write=write):
            break
        store = open_store(root)
        found = contents(store)
        outcomes.append("after" if same(found, after) else "before")
        assert same(found, before) or same(found, after)
        check_sound(store)
        write(root)
        rerun = contents(store)
        assert all(rerun[1][table].equals(after[1][table]) for table in after[1])
        assert list(store.staging.iterdir()) == []
        shutil.rmtree(root)
    # The change happens at one operation, and operations were cut on both sides of it.
    turn = outcomes.index("after")
    assert turn > 10
    assert set(outcomes[:turn]) == {"before"}
    assert set(outcomes[turn:]) == {"after"}


def test_kill_while_a_store_is_made(processes, tmp_path):
    for number in range(1, MORE_THAN_THERE_ARE):
        root = tmp_path / str(number)
        if not run_killed(processes, root, number, half_written=True, write=write_two_tables):
            break
        write_two_tables(root)
        assert contents(open_store(root))[1]["prices"].height == 1
    assert number > 20


CHANGING_EVENTS = {"os.rename": "replace", "os.mkdir": "mkdir", "os.remove": "unlink"}


def write_under_audit(root: Path, sender) -> None:
    """Report the changes of files that Python's own audit sees, and those that are intercepted."""
    audited: list[tuple[str, str]] = []
    watching = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if not watching or not args or str(root) not in str(args[0]):
            return
        if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
            audited.append(("open", str(args[0])))
        elif event in CHANGING_EVENTS:
            audited.append((CHANGING_EVENTS[event], str(args[0])))

    sys.addaudithook(hook)
    trace = recorded(lambda: write_two_tables(root))
    watching = False
    sender.send((audited, trace))


def test_no_change_of_a_file_escapes_the_interception(processes, tmp_path):
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=write_under_audit, args=(tmp_path / "store", sender))
    child.start()
    audited, trace = receiver.recv()
    child.join()
    assert len(audited) > 10
    assert set(audited) <= set(trace)


def test_nothing_is_referred_to_before_it_is_on_the_disk(tmp_path):
    """Follow the order that survives a power cut: bytes, then name, then the list that mentions the name."""
    root = tmp_path / "store"
    write_two_tables(root)
    store = open_store(root)
    trace = recorded(lambda: append_many(store, [("actions", dividend()), ("macro", macro({("A", 0): 3.0}))]))
    listed = trace.index(("replace to", str(store.manifest_path)))
    assert trace.index(("fsync", str(store.staging / "manifest.json"))) < listed
    assert ("fsync", str(root)) in trace[listed:]
    assert ("fsync", str(root / "data")) in trace[: trace.index(("replace to", str(newest(store, "actions"))))]
    for table in ("actions", "macro"):
        final = newest(store, table)
        renamed = trace.index(("replace to", str(final)))
        assert trace.index(("fsync", str(store.staging / final.name))) < renamed
        assert ("fsync", str(final.parent)) in trace[renamed:listed]


def newest(store, table: str) -> Path:
    return store.root / read_manifest(store).entries(table)[-1].path


def dividend() -> pl.DataFrame:
    rows = prices({("SPY", 0): 1.5}).rename({"close": "value"}).with_columns(pl.lit("dividend").alias("kind"))
    return rows.drop("open", "high", "low", "volume", "basis")
