"""An import of bars killed at any file operation leaves the store of before or of after."""

import errno
import os
import shutil

import polars as pl
import pytest

from parquet_store import StoreError, open_store, scan
from parquet_store.bars import import_bars
from tests.parquet_store.bars.bar_files import walk, write
from tests.parquet_store.rows import moment
from tests.parquet_store.test_store_crash import MORE_THAN_THERE_ARE, check_sound, run_killed


def import_a_file(root):
    import_bars(open_store(root, create=True), [root.parent / "bars.parquet"], seen_at=moment(10))


def seen(root):
    store = open_store(root)
    return [scan(store, table).collect() for table in ("bars", "quarantine")]


def same(left, right):
    return all(one.equals(other) for one, other in zip(left, right, strict=True))


def test_kill_at_every_file_operation(processes, tmp_path):
    original = tmp_path / "original"
    import_bars(open_store(original, create=True), [write(tmp_path, walk("A", 40))], seen_at=moment(0))
    frame = walk("AB", 60)
    write(tmp_path, frame.with_columns(high=pl.when(pl.int_range(pl.len()) == 50).then(1.0).otherwise("high")))
    before, finished = seen(original), tmp_path / "finished"
    shutil.copytree(original, finished)
    import_a_file(finished)
    after = seen(finished)
    assert after[1].height == 1
    outcomes = []
    for number in range(1, MORE_THAN_THERE_ARE):
        root = tmp_path / "victim"
        shutil.copytree(original, root)
        if not run_killed(processes, root, number, half_written=True, write=import_a_file):
            break
        found = seen(root)
        outcomes.append("after" if same(found, after) else "before")
        assert same(found, before) or same(found, after)
        check_sound(open_store(root))
        import_a_file(root)
        assert same(seen(root), after)
        shutil.rmtree(root)
    turn = outcomes.index("after")
    assert turn > 10
    assert set(outcomes[turn:]) == {"after"}


def test_a_full_disk_leaves_the_store_as_it_was_and_nothing_behind(tmp_path, monkeypatch):
    root = tmp_path / "store"
    import_bars(open_store(root, create=True), [write(tmp_path, walk("A", 40))], seen_at=moment(0))
    write(tmp_path, walk("AB", 300))
    before, files = seen(root), sorted(root.rglob("*.parquet"))
    original, written = os.write, []

    def filling(descriptor, payload):
        written.append(descriptor)
        if len(written) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(descriptor, payload)

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        import_a_file(root)
    monkeypatch.undo()
    assert same(seen(root), before)
    assert sorted(root.rglob("*.parquet")) == files
    import_a_file(root)
    assert seen(root)[0].height == 600
