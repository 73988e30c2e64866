"""A check finds what is damaged and what is faulty, names it, and leaves what is right alone."""

import os
from datetime import date, timedelta

import polars as pl
import pytest

import sql
from parquet_store import (
    StoreError,
    append,
    import_files,
    known_at,
    load_universe,
    open_store,
    revise,
    scan,
    sessions,
)
from parquet_store.bars import import_bars
from parquet_store.checks import check_store, drop_files, repair_store
from parquet_store.quarantine import release
from parquet_store.simulation import write_simulated
from tests.parquet_store.bars.bar_files import walk, write
from tests.parquet_store.rows import held, macro, moment, prices
from tests.real_data import REAL_DATA, needs_real_data

TODAY = date(2024, 1, 31)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def flip(path, position):
    payload = bytearray(path.read_bytes())
    payload[position] ^= 0x10
    path.write_bytes(payload)


def history(name, days=200, changed=None):
    """Return a calm series of the universe on its own days; `changed` are values by position."""
    spec = load_universe()[name]
    first = date(2023, 1, 2)
    dates = pl.date_range(first, first + timedelta(days=days * 2), "1d", eager=True)
    if spec.calendar == "nyse":
        dates = sessions(dates[0], dates[-1])["date"]
    elif spec.calendar != "daily":
        dates = dates.filter(dates.dt.weekday() <= 5)
    values = [10.0 + 0.1 * (position * 7 % 5) for position in range(days)]
    for position, value in (changed or {}).items():
        values[position] = value
    rows = pl.DataFrame({"date": dates[:days], "value": values}).with_columns(
        known_at(spec, dates[:days]), pl.lit("test").alias("source")
    )
    if spec.kind == "macro":
        return rows.with_columns(series=pl.lit(name), unit=pl.lit(spec.unit))
    empty = [pl.lit(None, pl.Float64).alias(column) for column in ("open", "high", "low", "volume")]
    named = rows.rename({"value": "close"}).with_columns(symbol=pl.lit(name), basis=pl.lit(spec.basis))
    return named.with_columns(*empty)


def faults(store, today=date(2024, 6, 1)):
    found = check_store(store, today=today).findings.filter(pl.col("severity") == "fault")
    return found.select("series", "date", "what").rows()


class TestFiles:
    def test_a_sound_store_is_sound(self, store):
        append(store, "macro", macro({("A", 0): 1.0, ("A", 1): 2.0}), seen_at=moment(0))
        report = check_store(store, today=TODAY)
        assert report.sound
        assert report.findings.is_empty()
        assert (report.files, report.rows) == (1, 2)

    def test_every_flipped_byte_is_found_and_no_read_returns_numbers(self, store):
        append(store, "prices", prices({("SPY", day): 100.0 + day for day in range(5)}), seen_at=moment(0))
        entry = append(store, "macro", macro({("A", day): float(day) for day in range(50)}), seen_at=moment(0))
        path = store.root / entry.path
        original = path.read_bytes()
        for position in range(0, len(original), 97):
            flip(path, position)
            report = check_store(store, today=TODAY)
            assert [each.path for each in report.damaged] == [entry.path]
            assert report.findings.filter(pl.col("severity") == "damage")["file"].to_list() == [entry.path]
            assert not report.sound
            for read in (lambda: scan(store, "macro"), lambda: sql.query(store, "FROM prices")):
                with pytest.raises(StoreError, match=r"macro/.* has other bytes than were written; .*check --repair"):
                    read()
            assert scan(store, "prices").collect().height == 5
            path.write_bytes(original)
        assert check_store(store, today=TODAY).damaged == ()

    @pytest.mark.parametrize(
        ("harm", "what"),
        [(lambda path: path.unlink(), "is missing"), (lambda path: os.truncate(path, 100), "has 100 bytes instead of")],
    )
    def test_absent_and_short_files_are_named(self, store, harm, what):
        entry = append(store, "macro", macro({("A", 0): 1.0}), seen_at=moment(0))
        harm(store.root / entry.path)
        report = check_store(store, today=TODAY)
        assert what in report.findings["what"][0]
        assert "1 rows of A from 2024-01-08 to 2024-01-08" in report.findings["what"][0]

    def test_files_that_nobody_lists_are_named_and_left(self, store):
        append(store, "macro", macro({("A", 0): 1.0}), seen_at=moment(0))
        stray = store.folder("macro") / "stray.parquet"
        stray.write_bytes(b"x")
        report = check_store(store, today=TODAY)
        assert report.sound
        assert report.orphans == (stray,)
        assert report.findings.select("severity", "file").rows() == [("notice", "data/macro/stray.parquet")]
        assert stray.exists()

    def test_what_cannot_be_made_again_says_so_and_can_be_taken_out(self, store):
        append(store, "macro", macro({("A", 0): 1.0}, source="bank.csv"), seen_at=moment(0))
        entry = append(store, "macro", macro({("B", 0): 2.0}, source="bank.csv"), seen_at=moment(1))
        flip(store.root / entry.path, 50)
        report = check_store(store, today=TODAY)
        repaired = repair_store(store, report)
        assert repaired.restored == ()
        assert "its rows came from bank.csv; take the file out with --drop, and then import" in repaired.lost[0][1]
        assert drop_files(store, report.damaged) == (entry,)
        assert (store.root / "damaged" / entry.path.rpartition("/")[2]).exists()
        assert held(store) == {("A", 0): 1.0}
        append(store, "macro", macro({("B", 0): 2.0}), seen_at=moment(2))
        assert held(store) == {("A", 0): 1.0, ("B", 0): 2.0}

    def test_a_sound_file_is_never_taken_out(self, store):
        entry = append(store, "macro", macro({("A", 0): 1.0}), seen_at=moment(0))
        assert drop_files(store, [entry]) == ()
        assert held(store) == {("A", 0): 1.0}

    def test_rows_out_of_order_are_damage_even_with_a_right_hash(self, store, monkeypatch):
        rows = macro({("A", 1): 1.0, ("A", 0): 2.0}).with_columns(
            pl.lit(moment(0)).cast(pl.Datetime("us", "UTC")).alias("seen_at")
        )
        monkeypatch.setattr("parquet_store.writer.conform", lambda frame, schema: frame.select(*schema.columns))
        append(store, "macro", rows)
        assert "do not ascend" in check_store(store, today=TODAY).findings["what"][0]


class TestRows:
    @pytest.mark.parametrize("name", ["DGS10", "SPY", "BTC-USD"])
    def test_a_calm_series_has_no_fault(self, store, name):
        rows = history(name)
        append(store, load_universe()[name].table, rows)
        assert faults(store) == []

    @pytest.mark.parametrize(
        ("name", "changed", "what"),
        [("DGS10", {150: 101.0}, "outside -2 to 25"), ("SPY", {150: 1000.0}, "jump"), ("DGS10", {150: 24.0}, "jump")],
    )
    def test_implausible_values_and_spikes(self, store, name, changed, what):
        rows = history(name, changed=changed)
        append(store, load_universe()[name].table, rows)
        (found,) = faults(store)
        assert found[:2] == (name, rows["date"][150])
        assert what in found[2]

    def test_a_move_that_stays_is_no_fault(self, store):
        append(store, "macro", history("DGS10", changed=dict.fromkeys(range(150, 200), 14.0)))
        assert faults(store) == []

    def test_days_off_the_calendar_and_in_the_future(self, store):
        holiday = history("SPY").with_columns(
            pl.when(pl.int_range(pl.len()) == 3).then(date(2023, 1, 7)).otherwise("date").alias("date")
        )
        append(store, "prices", holiday)
        last = history("SPY")["date"][-1]
        found = faults(store, today=last - timedelta(days=1))
        assert [(series, day) for series, day, _ in found] == [("SPY", date(2023, 1, 7)), ("SPY", last)]

    def test_stale_series_missing_beginnings_and_disordered_prices_are_noticed(self, store):
        rows = history("SPY").with_columns(open=pl.lit(20.0), high=pl.lit(15.0), low=pl.lit(5.0))
        append(store, "prices", rows)
        report = check_store(store, today=date(2024, 6, 1))
        assert report.sound
        what = report.findings["what"].to_list()
        assert any("200 rows have a price above their high" in each for each in what)
        assert any("it begins on 2023-01-03; the provider has had it from 1993-01-29" in each for each in what)
        assert any("days old; more than 5 is stale" in each for each in what)

    def test_two_units_in_one_series(self, store):
        append(store, "macro", macro({("A", 0): 1.0}))
        append(store, "macro", macro({("A", 1): 1.0}).with_columns(unit=pl.lit("basis_points")))
        assert "its unit is both basis_points and percent" in faults(store)[0][2]

    def test_bars_are_checked_again(self, store, tmp_path):
        import_bars(store, [write(tmp_path, walk("AB", 60))], seen_at=moment(0))
        wrong = walk("A", 1).with_columns(low=pl.lit(100.5), source=pl.lit("test"))
        append(store, "bars", wrong, seen_at=moment(1))
        assert faults(store) == [("A", date(2023, 12, 28), "the low is above another price")]
        repair_store(store, check_store(store), seen_at=moment(2))
        assert faults(store) == []
        assert scan(store, "bars", series=["A"]).collect()["low"][0] == walk("A", 1)["low"][0]
        assert (
            sql.query(store, "SELECT low FROM bars WHERE symbol = 'A' ORDER BY moment")["low"][0]
            == walk("A", 1)["low"][0]
        )

    def test_the_simulated_market_is_sound(self, store):
        write_simulated(store)
        report = check_store(store)
        assert report.findings.is_empty()

    @needs_real_data
    def test_the_real_history_has_no_fault(self, store):
        import_files(store, [REAL_DATA / "prices_daily.parquet", REAL_DATA / "macro_daily.parquet"])
        assert check_store(store).sound


class TestQuarantine:
    @pytest.fixture
    def spiked(self, store):
        append(store, "macro", history("DGS10"), seen_at=moment(-9))
        append(store, "macro", history("DGS10", changed={150: 24.0})[150:151], seen_at=moment(0))
        return store

    def value(self, store, **as_of):
        rows = scan(store, "macro", **as_of).collect()
        asked = sql.query(store, "SELECT value FROM macro ORDER BY date", **as_of)
        assert asked["value"].equals(rows["value"])
        return rows["value"][150]

    def test_a_repair_keeps_a_faulty_row_out_of_reads_from_then_on_only(self, spiked):
        before = {minutes: scan(spiked, "macro", as_of=moment(minutes)).collect() for minutes in (-9, 0, 1)}
        repaired = repair_store(spiked, check_store(spiked), seen_at=moment(2))
        assert repaired.quarantined == 1
        assert self.value(spiked) == pytest.approx(10.0)
        assert self.value(spiked, as_of=moment(1)) == 24.0
        for minutes, rows in before.items():
            assert scan(spiked, "macro", as_of=moment(minutes)).collect().equals(rows)
        assert check_store(spiked).sound
        assert repair_store(spiked, check_store(spiked)).quarantined == 0

    def test_a_released_row_is_back_and_is_not_found_again(self, spiked):
        repair_store(spiked, check_store(spiked), seen_at=moment(2))
        released = release(spiked, "macro", "DGS10", seen_at=moment(3))
        assert (released.rows.height, released.entered, released.waiting) == (1, 0, 0)
        assert self.value(spiked) == 24.0
        assert self.value(spiked, as_of=moment(2)) == pytest.approx(10.0)
        assert check_store(spiked).sound
        with pytest.raises(StoreError, match="the quarantine holds no row of DGS10 in macro"):
            release(spiked, "macro", "DGS10")

    def test_the_same_bad_value_does_not_come_back_by_itself_and_a_right_one_does(self, spiked):
        repair_store(spiked, check_store(spiked), seen_at=moment(2))
        again = revise(spiked, [("macro", history("DGS10", changed={150: 24.0}))], seen_at=moment(3))
        assert again.entries == ()
        revise(spiked, [("macro", history("DGS10", changed={150: 10.3}))], seen_at=moment(4))
        assert self.value(spiked) == 10.3

    def test_a_bar_that_was_not_let_in_enters_when_it_is_released(self, store, tmp_path):
        frame = walk("A", 50)
        wrong = frame.with_columns(high=pl.when(pl.int_range(pl.len()) == 20).then(1.0).otherwise("high"))
        import_bars(store, [write(tmp_path, wrong)], seen_at=moment(0))
        assert release(store, "bars", "A", seen_at=moment(1)).entered == 1
        assert scan(store, "bars").collect().height == 50
        assert scan(store, "bars", as_of=moment(0)).collect().height == 49
