"""Several processes on one store: writers wait for each other, readers see whole changes, the dead block nobody."""

import os
import signal
import threading
import time

import pytest

from parquet_store import StoreError, append, append_many, import_files, open_store, read_manifest, scan
from parquet_store.lock import exclusive
from tests.parquet_store.rows import held, macro, prices

CHANGES = 15


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def run(processes, *jobs):
    children = [processes.Process(target=target, args=args) for target, *args in jobs]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * len(children)


def write_series(root, series):
    for number in range(CHANGES):
        append(open_store(root), "macro", macro({(series, number): number + 1.0}))


def make_and_write(root, series):
    append(open_store(root, create=True), "macro", macro({(series, 0): 1.0}))


def test_two_processes_may_make_the_same_store(processes, tmp_path):
    for attempt in range(5):
        root = tmp_path / str(attempt)
        run(processes, (make_and_write, root, "A"), (make_and_write, root, "B"))
        assert held(open_store(root)) == {("A", 0): 1.0, ("B", 0): 1.0}


def import_folder(root, folder):
    import_files(open_store(root), [folder])


def test_two_writers_lose_nothing(processes, store):
    run(processes, (write_series, store.root, "A"), (write_series, store.root, "B"))
    assert held(store) == {(series, number): number + 1.0 for series in "AB" for number in range(CHANGES)}
    manifest = read_manifest(store)
    assert manifest.generation == len(manifest.files) == 2 * CHANGES


def test_two_imports_of_the_same_file_write_its_rows_once(processes, store, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "macro.csv").write_text("series,date,value\n" + "".join(f"BAA,20{y:02d}-01-01,5\n" for y in range(20)))
    run(processes, (import_folder, store.root, folder), (import_folder, store.root, folder))
    assert sum(entry.rows for entry in read_manifest(store).files) == 20


def write_both_tables(root):
    for number in range(1, CHANGES + 1):
        values = {("A", 0): float(number)}
        append_many(open_store(root), [("macro", macro(values)), ("prices", prices(values))])


def test_reader_sees_whole_changes_only_and_never_goes_back(processes, store):
    writer = processes.Process(target=write_both_tables, args=(store.root,))
    writer.start()
    seen = [0.0]
    while writer.is_alive() or seen[-1] < CHANGES:
        manifest = read_manifest(store)
        rates = scan(store, "macro", manifest=manifest).collect()["value"].to_list()
        closes = scan(store, "prices", manifest=manifest).collect()["close"].to_list()
        assert rates == closes
        seen.append(rates[0] if rates else 0.0)
    writer.join()
    assert writer.exitcode == 0
    assert seen == sorted(seen)


def hold_the_lock(path, holding):
    with exclusive(path):
        holding.set()
        time.sleep(600)


def test_lock_of_a_killed_process_does_not_block(processes, store):
    holding = processes.Event()
    holder = processes.Process(target=hold_the_lock, args=(store.lock_path, holding))
    holder.start()
    holding.wait()
    with pytest.raises(StoreError, match="another process is writing"), exclusive(store.lock_path, wait=0.0):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    append(store, "macro", macro({("A", 0): 1.0}))
    assert held(store) == {("A", 0): 1.0}


def test_writer_waits_for_another_thread(store):
    released = threading.Event()
    entered = threading.Event()

    def hold():
        with exclusive(store.lock_path):
            entered.set()
            released.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait()
    writer = threading.Thread(target=append, args=(store, "macro", macro({("A", 0): 1.0})))
    writer.start()
    assert read_manifest(store).generation == 0
    released.set()
    writer.join()
    holder.join()
    assert read_manifest(store).generation == 1
