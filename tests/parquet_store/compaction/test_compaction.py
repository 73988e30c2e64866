"""Compaction leaves every read as of every moment what it was, and takes nothing from readers that began before."""

import os
import shutil
from datetime import timedelta
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sql
from parquet_store import SCHEMAS, StoreError, append, append_many, open_store, read_manifest, scan
from parquet_store.bars import import_bars
from parquet_store.checks import check_store
from parquet_store.compaction import compact, remove_unlisted
from parquet_store.quarantine import REASON, quarantine_rows
from tests.parquet_store.bars.bar_files import walk, write
from tests.parquet_store.rows import held, macro, moment, prices
from tests.parquet_store.test_store_crash import MORE_THAN_THERE_ARE, check_sound, run_killed, same
from tests.parquet_store.test_store_model import KEYS, MINUTES, VALUES, latest

few = settings(max_examples=25, deadline=None)


def reads(store, moments=range(-1, 7)):
    """Return every table as of every moment, by both ways of reading."""
    as_ofs = [moment(minutes) for minutes in moments]
    scanned = [scan(store, table, as_of=as_of).collect() for as_of in (*as_ofs, None) for table in SCHEMAS]
    with sql.connect(store) as connection:
        asked = [connection.sql("FROM macro_as_of(?) ORDER BY ALL", params=[as_of]).pl() for as_of in as_ofs]
        asked.append(connection.sql("FROM macro ORDER BY ALL").pl())
    return [*scanned, *asked, sql.query(store, "FROM macro ORDER BY ALL", as_of=as_ofs[len(as_ofs) // 2])]


def equal(left, right):
    return all(one.equals(other) for one, other in zip(left, right, strict=True))


@few
@given(st.lists(st.tuples(MINUTES, VALUES, st.booleans()), min_size=1, max_size=8), st.lists(KEYS, max_size=2), MINUTES)
def test_reads_of_all_moments_stay_through_any_compactions(writes, bad, minutes):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        done = []
        for at, values, compacted in writes:
            append(store, "macro", macro(values), seen_at=moment(at))
            done.append((at, values))
            if compacted:
                compact(store)
        rows = scan(store, "macro").collect()
        wrong = rows.filter(pl.Series([key in bad for key in held(store)], dtype=pl.Boolean))
        if wrong.height:
            marked = quarantine_rows(SCHEMAS["macro"], wrong.with_columns(pl.lit("wrong").alias(REASON)))
            append(store, "quarantine", marked, seen_at=moment(6))
        assert held(store, as_of=moment(minutes)) == latest(done, minutes)
        before, files = reads(store), len(read_manifest(store).entries("macro"))
        result = compact(store)
        assert equal(reads(store), before)
        assert len(read_manifest(store).entries("macro")) == 1
        assert len(result.written) == (1 if files > 1 else 0)
        assert check_store(store).damaged == ()
        assert compact(store).written == ()


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def many_files(store):
    for number in range(6):
        rows = [
            ("macro", macro({("A", number % 3): float(number)})),
            ("prices", prices({("SPY", number): 1.0 + number})),
        ]
        append_many(store, rows, seen_at=moment(number // 2), raw=(f"{number:064d}",))
    for run in ("a", "a", "b"):
        append(store, "sweep_results", pl.DataFrame({"run_id": [run], "x": [1.0]}), seen_at=moment(1), run_id=run)


def test_files_of_different_runs_stay_apart_and_raw_files_are_remembered(store):
    many_files(store)
    compact(store)
    manifest = read_manifest(store)
    assert [entry.run_id for entry in manifest.entries("sweep_results")] == ["a", "b"]
    assert manifest.entries("macro")[0].raw == tuple(f"{number:064d}" for number in range(6))
    assert not manifest.entries("macro")[0].unique_keys
    assert manifest.entries("prices")[0].unique_keys


def test_large_files_are_left_alone(store):
    many_files(store)
    before = read_manifest(store).entries("macro")
    compact(store, rows=1)
    assert read_manifest(store).entries("macro") == before
    compact(store, rows=4)
    assert [entry.rows for entry in read_manifest(store).entries("macro")] == [4, 2]


def test_a_reader_that_began_before_reads_on(store):
    many_files(store)
    manifest, lazy = read_manifest(store), scan(store, "macro")
    expected = scan(store, "macro").collect()
    with sql.connect(store) as connection:
        compact(store)
        remove_unlisted(store)
        assert lazy.collect().equals(expected)
        assert scan(store, "macro", manifest=manifest).collect().equals(expected)
        assert connection.sql("SELECT count(*) FROM macro").fetchall() == [(3,)]


def test_replaced_files_go_when_asked_and_old_enough(store):
    many_files(store)
    replaced = compact(store).replaced
    assert remove_unlisted(store) == []
    old = store.root / replaced[0].path
    os.utime(old, (0, 0))
    assert remove_unlisted(store) == [old]
    expected = reads(store)
    assert len(remove_unlisted(store, grace=timedelta(0))) == len(replaced) - 1
    assert equal(reads(store), expected)
    listed = {entry.path for entry in read_manifest(store).files}
    kept = {path for path in (store.root / "data").rglob("*") if path.is_file()}
    assert {path.relative_to(store.root).as_posix() for path in kept} == listed


def test_a_replaced_file_is_as_young_as_its_replacement(store):
    many_files(store)
    for entry in read_manifest(store).files:
        os.utime(store.root / entry.path, (0, 0))
    compact(store)
    # The one that was not replaced is listed still; the others were needed until now.
    assert remove_unlisted(store) == []


def test_damage_is_never_merged_into_a_sound_file(store):
    many_files(store)
    entry = read_manifest(store).entries("macro")[2]
    path = store.root / entry.path
    payload = path.read_bytes()
    path.write_bytes(payload[:50] + bytes([payload[50] ^ 4]) + payload[51:])
    before = read_manifest(store)
    with pytest.raises(StoreError, match=r"has other bytes than were written; run `engine data check --repair` first"):
        compact(store)
    assert read_manifest(store) == before


def test_bars_are_merged_by_symbol_and_year(store, tmp_path):
    frame = walk("AB", 300)
    for number, part in enumerate((frame[:150], frame[150:420], frame[420:])):
        import_bars(store, [write(tmp_path, part)], seen_at=moment(number))
    revised = frame[200:203].with_columns(close=pl.col("close") + 0.25)
    import_bars(store, [write(tmp_path, revised)], seen_at=moment(4))
    before = [scan(store, "bars", as_of=moment(number)).collect() for number in range(6)]
    compact(store)
    files = read_manifest(store).entries("bars")
    assert sorted((entry.series, entry.first.year) for entry in files) == [
        (("A",), 2023),
        (("A",), 2024),
        (("B",), 2023),
        (("B",), 2024),
    ]
    assert equal([scan(store, "bars", as_of=moment(number)).collect() for number in range(6)], before)
    asked = sql.query(store, "FROM bars ORDER BY symbol, moment")
    assert asked.equals(before[-1])
    assert check_store(store).damaged == ()


def test_bars_of_a_file_over_the_end_of_a_year_stay_in_order(store):
    frame = walk("A", 300).with_columns(source=pl.lit("test"))
    append(store, "bars", frame, seen_at=moment(0))
    append(store, "bars", frame[:3].with_columns(close=pl.lit(100.5)), seen_at=moment(0))
    append(store, "bars", frame[-3:].with_columns(close=pl.lit(101.5)), seen_at=moment(0))
    before = scan(store, "bars").collect()
    assert compact(store).written[0].rows == 306
    assert scan(store, "bars").collect().equals(before)
    assert sql.query(store, "FROM bars ORDER BY moment").equals(before)


def compact_a_store(root):
    compact(open_store(root))


def test_kill_at_every_file_operation(processes, tmp_path):
    original = tmp_path / "original"
    many_files(open_store(original, create=True))
    files = len(read_manifest(open_store(original)).files)
    before = (0, {table: scan(open_store(original), table).collect() for table in SCHEMAS})
    outcomes = []
    for number in range(1, MORE_THAN_THERE_ARE):
        root = tmp_path / "victim"
        shutil.copytree(original, root)
        if not run_killed(processes, root, number, half_written=True, write=compact_a_store):
            break
        store = open_store(root)
        assert same((0, {table: scan(store, table).collect() for table in SCHEMAS}), before)
        check_sound(store)
        outcomes.append(len(read_manifest(store).files) < files)
        compact(store)
        assert len(read_manifest(store).files) == 4
        shutil.rmtree(root)
    turn = outcomes.index(True)
    assert turn > 10
    assert all(outcomes[turn:])
