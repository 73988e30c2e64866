"""The simulated market in a store: written once, extended, never mixed with real data."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from parquet_store import Store, StoreError, append, open_store, read_manifest, scan, status
from parquet_store.simulation import is_simulated, simulate, write_simulated

FIRST, MIDDLE, LAST = date(2024, 1, 2), date(2024, 6, 28), date(2024, 12, 31)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", create=True)


def real_rows() -> pl.DataFrame:
    rows = simulate(first=FIRST, last=MIDDLE).macro.filter(pl.col("series") == "DGS10")
    return rows.with_columns(pl.lit("file").alias("source"))


def test_the_store_holds_the_market(store: Store) -> None:
    entries = write_simulated(store, first=FIRST, last=LAST)
    market = simulate(first=FIRST, last=LAST)
    assert [entry.table for entry in entries] == ["prices", "actions", "macro"]
    assert {entry.source for entry in entries} == {"simulated"}
    for table in ("prices", "actions", "macro"):
        assert_frame_equal(scan(store, table).drop("seen_at").collect(), getattr(market, table))


def test_a_second_run_changes_nothing(store: Store) -> None:
    write_simulated(store, first=FIRST, last=LAST)
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    assert write_simulated(store, first=FIRST, last=LAST) == ()
    assert write_simulated(store, first=FIRST, last=MIDDLE) == ()
    assert {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()} == before


def test_equal_seeds_make_equal_stores(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other", create=True)
    write_simulated(store, 3, first=FIRST, last=LAST)
    write_simulated(other, 3, first=FIRST, last=LAST)
    assert read_manifest(store).id == read_manifest(other).id


def test_a_later_last_day_adds_the_rest(store: Store) -> None:
    write_simulated(store, first=FIRST, last=MIDDLE)
    added = write_simulated(store, first=FIRST, last=LAST)
    assert sum(entry.rows for entry in added) == sum(entry.rows for entry in read_manifest(store).files[3:]) > 0
    whole = simulate(first=FIRST, last=LAST)
    for table in ("prices", "actions", "macro"):
        assert_frame_equal(scan(store, table).drop("seen_at").collect(), getattr(whole, table))
    assert min(entry.first for entry in added if entry.first) >= date(2024, 6, 1)


def test_the_past_shows_what_was_known_then(store: Store) -> None:
    write_simulated(store, first=FIRST, last=LAST)
    morning = datetime(2024, 6, 28, 13, 30, tzinfo=UTC)
    assert scan(store, "prices", as_of=morning).collect().filter(symbol="SPY")["date"].max() == date(2024, 6, 27)
    spreads = scan(store, "macro", as_of=morning).collect().filter(series="BAMLH0A0HYM2")
    assert spreads["date"].max() == date(2024, 6, 27)
    assert scan(store, "macro", as_of=morning).collect().filter(series="BAA")["date"].max() == date(2024, 5, 1)


def test_status_finds_no_gap(store: Store) -> None:
    write_simulated(store)
    report = status(store, today=date(2026, 4, 1))
    held = report.filter(pl.col("table") != "actions")
    assert held.height == 28
    assert held["gaps"].to_list() == [0] * 28
    assert held["source"].unique().to_list() == ["simulated"]
    assert not held["stale"].any()


def test_another_seed_is_refused_in_the_same_store(store: Store) -> None:
    write_simulated(store, first=FIRST, last=MIDDLE)
    before = read_manifest(store)
    with pytest.raises(
        StoreError, match=r"already holds another simulated market .* choose another folder with --store"
    ):
        write_simulated(store, 3, first=FIRST, last=LAST)
    assert read_manifest(store) == before


def test_a_store_with_real_data_is_refused(store: Store) -> None:
    append(store, "macro", real_rows())
    before = read_manifest(store)
    with pytest.raises(StoreError, match=r"holds real market data, .* choose another folder"):
        write_simulated(store, first=FIRST, last=LAST)
    assert read_manifest(store) == before


def test_a_store_says_whether_it_is_simulated(store: Store, tmp_path: Path) -> None:
    assert not is_simulated(store)
    write_simulated(store, first=FIRST, last=MIDDLE)
    assert is_simulated(store)
    real = open_store(tmp_path / "real", create=True)
    append(real, "macro", real_rows())
    assert not is_simulated(real)


def test_a_ledger_does_not_make_a_store_real(store: Store) -> None:
    append(store, "sweep_runs", pl.DataFrame({"run_id": ["a"]}))
    assert len(write_simulated(store, first=FIRST, last=MIDDLE)) == 3
