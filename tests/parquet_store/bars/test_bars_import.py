"""Bars come in as a stream, checked, partitioned and compared only where files can share a bar."""

import random
from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest

import sql
from parquet_store import EngineError, StoreError, append, open_store, read_manifest, scan, status
from parquet_store.bars import import_bars, importer, source
from tests.parquet_store.bars.bar_files import OPENING, bars, walk, write
from tests.parquet_store.rows import moment, prices

COLUMNS = ["symbol", "moment", "open", "high", "low", "close", "volume"]


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


@pytest.fixture
def small_steps(monkeypatch):
    """Read and gather a few bars at a time, so that a small file takes every turn that a large one takes."""
    original = source.slabs
    monkeypatch.setattr(importer, "slabs", lambda path, zone: original(path, zone, rows=37))
    monkeypatch.setattr(importer, "_BUFFERED", 90)


def held(store, **limits):
    return scan(store, "bars", **limits).select(COLUMNS).collect()


def ordered(frame, order):
    rows = list(range(frame.height))
    if order == "moment":
        return frame.sort("moment", "symbol")
    if order == "shuffled":
        random.Random(1).shuffle(rows)
    return frame[rows]


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("order", ["symbol", "moment", "shuffled"])
def test_bars_in_any_order_read_back(store, tmp_path, order):
    frame = walk("ABC")
    report = import_bars(store, [write(tmp_path, ordered(frame, order))], seen_at=moment(0))
    assert (report.rows, report.new, report.unchanged, report.held) == (900, 900, 0, 0)
    assert held(store).equals(frame.sort("symbol", "moment"))
    answer = sql.query(store, "SELECT * EXCLUDE (seen_at, source) FROM bars ORDER BY ALL")
    assert answer.equals(frame.sort("symbol", "moment"))


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("order", ["symbol", "moment"])
def test_sorted_files_end_in_files_that_share_no_day(store, tmp_path, order):
    import_bars(store, [write(tmp_path, ordered(walk("ABC"), order))], seen_at=moment(0))
    files = sorted(read_manifest(store).entries("bars"), key=lambda entry: (entry.series, entry.first))
    assert len(files) >= 6
    for one, other in pairwise(files):
        assert one.series != other.series or one.last < other.first
        assert one.first.year == one.last.year
    with sql.connect(store) as connection:
        assert "row_number" not in connection.sql("EXPLAIN FROM bars").fetchall()[0][1]


@pytest.mark.usefixtures("small_steps")
def test_the_same_file_again_writes_nothing(store, tmp_path):
    path = write(tmp_path, walk())
    import_bars(store, [path], seen_at=moment(0))
    before = read_manifest(store)
    report = import_bars(store, [path], seen_at=moment(1))
    assert (report.new, report.revised, report.unchanged) == (0, 0, 600)
    assert read_manifest(store).id == before.id == report.manifest_id


@pytest.mark.usefixtures("small_steps")
def test_a_changed_bar_is_a_revision(store, tmp_path):
    first = walk("A")
    import_bars(store, [write(tmp_path, first)], seen_at=moment(0))
    second = first.with_columns(close=pl.when(pl.int_range(pl.len()) == 7).then(101.5).otherwise("close"))
    report = import_bars(store, [write(tmp_path, second)], seen_at=moment(1))
    assert (report.new, report.revised, report.unchanged) == (0, 1, 299)
    assert held(store).equals(second)
    assert held(store, as_of=moment(0)).equals(first)
    assert sql.query(store, "SELECT close FROM bars ORDER BY moment", as_of=moment(0))["close"].equals(first["close"])


def test_a_volume_that_no_longer_comes_stays(store, tmp_path):
    import_bars(store, [write(tmp_path, walk("A", 5))], seen_at=moment(0))
    report = import_bars(store, [write(tmp_path, walk("A", 6).drop("volume"))], seen_at=moment(1))
    assert (report.new, report.unchanged) == (1, 5)
    assert held(store)["volume"].to_list() == [100.0] * 5 + [None]


FAULTS = {
    "symbol": (None, "missing"),
    "moment": (None, "missing"),
    "close": (None, "missing"),
    "open": (0.0, "not a finite number above zero"),
    "high": (float("nan"), "not a finite number above zero"),
    "low": (1e9, "the low is above another price"),
    "volume": (-1.0, "the volume is negative"),
}


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("column", FAULTS)
def test_a_bad_bar_goes_to_the_quarantine_with_its_reason(store, tmp_path, column):
    value, reason = FAULTS[column]
    frame = walk("A", 50)
    wrong = frame.with_columns(pl.when(pl.int_range(pl.len()) == 20).then(value).otherwise(column).alias(column))
    report = import_bars(store, [write(tmp_path, wrong.cast(dict(frame.schema)))], seen_at=moment(0))
    assert (report.new, report.held) == (49, 1)
    assert held(store).equals(frame.filter(pl.int_range(pl.len()) != 20))
    kept = scan(store, "quarantine").collect()
    if column != "low":  # a low above everything is above the high too, and that is said first
        assert reason in kept["reason"][0]
    assert kept["table_name"].to_list() == ["bars"]
    again = import_bars(store, [write(tmp_path, wrong.cast(dict(frame.schema)))], seen_at=moment(1))
    assert (again.new, again.held) == (0, 1)
    assert scan(store, "quarantine").collect().height == 1


@pytest.mark.usefixtures("small_steps")
def test_of_two_bars_of_one_moment_the_first_counts_and_the_other_is_kept(store, tmp_path):
    frame = walk("AB", 60)
    repeated = frame[3:6]
    contradicting = frame[10:11].with_columns(close=pl.lit(100.25))
    import_bars(store, [write(tmp_path, pl.concat([frame, repeated, contradicting]))], seen_at=moment(0))
    assert held(store).equals(frame)
    kept = scan(store, "quarantine").collect()
    assert kept["reason"].to_list() == ["an earlier bar of the same import has the same moment and other values"]
    assert '"close":100.25' in kept["row"][0]


def test_a_file_of_bad_bars_is_refused_and_leaves_nothing(store, tmp_path):
    wrong = walk("A", 50).with_columns(high=pl.lit(1.0))
    with pytest.raises(EngineError, match=r"50 of 50 bars are bad \(the high is below another price\); mend the files"):
        import_bars(store, [write(tmp_path, wrong)])
    assert read_manifest(store).files == ()
    assert list(store.staging.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop("open"), "no column is named open"),
        (lambda frame: frame.with_columns(vwap=1.0), "unknown column vwap"),
        (lambda frame: frame.with_columns(close=pl.lit("a")), "the column close is of type String"),
        (lambda frame: frame.with_columns(moment=pl.lit(5)), "moments must be timestamps"),
        (lambda frame: frame.with_columns(pl.col("moment").dt.replace_time_zone(None)), "bear no time zone"),
    ],
)
def test_wrong_headers_are_refused_before_anything_is_read(store, tmp_path, change, message):
    with pytest.raises(EngineError, match=message):
        import_bars(store, [write(tmp_path, walk("A", 50)), write(tmp_path, change(walk("B", 50)), "other.parquet")])
    assert read_manifest(store).files == ()


def test_files_that_are_no_parquet_are_refused(store, tmp_path):
    (tmp_path / "bars.csv").write_text("symbol,moment\n")
    with pytest.raises(EngineError, match="bars come in as Parquet files"):
        import_bars(store, [tmp_path / "bars.csv"])
    (tmp_path / "bars.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(EngineError, match="damaged or no Parquet file"):
        import_bars(store, [tmp_path / "bars.parquet"])


def test_local_moments_take_a_zone(store, tmp_path):
    local = walk("A", 3).with_columns(
        pl.col("moment").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    )
    path = write(tmp_path, local.rename({"symbol": "Ticker", "moment": "Timestamp"}))
    import_bars(store, [path], time_zone="America/New_York", seen_at=moment(0))
    assert held(store).equals(walk("A", 3))
    with pytest.raises(EngineError, match="there is no time zone Mars"):
        import_bars(store, [path], time_zone="Mars")


def test_simulated_and_real_bars_never_share_a_store(store, tmp_path):
    append(store, "prices", prices({("SPY", 0): 1.0}, source="simulated"))
    with pytest.raises(StoreError, match="would mix simulated and real rows"):
        import_bars(store, [write(tmp_path, walk("A", 3))])


def test_a_read_of_one_symbol_and_day_opens_only_its_files(store, tmp_path):
    import_bars(store, [write(tmp_path, walk("ABC"))], seen_at=moment(0))
    for entry in read_manifest(store).entries("bars"):
        if entry.series != ("B",) or entry.first.year != 2024:
            (store.root / entry.path).unlink()
    day = (OPENING + timedelta(days=7)).date()
    read = held(store, series=["B"], first=day, last=day)
    assert read.equals(walk("B").filter(pl.col("moment").dt.date() == day))


def test_status_counts_bars_without_reading_them(store, tmp_path):
    import_bars(store, [write(tmp_path, walk())], seen_at=moment(0), source="feed")
    for entry in read_manifest(store).entries("bars"):
        (store.root / entry.path).unlink()
    shown = status(store).select("table", "series", "source", "rows")
    assert shown.rows() == [("bars", "A", "feed", 300), ("bars", "B", "feed", 300)]


def test_bars_may_also_be_appended(store):
    frame = bars({("B", 0): 2.0, ("A", 0): 1.0, ("A", 1): 1.5}).with_columns(source=pl.lit("test"))
    append(store, "bars", frame, seen_at=moment(0))
    assert [entry.series for entry in read_manifest(store).files] == [("A",), ("B",)]
    assert held(store)["close"].to_list() == [1.0, 1.5, 2.0]


def test_names_never_become_paths_and_a_question_for_one_opens_no_file_of_another(store, tmp_path):
    odd = ["../../etc", "a/b", "S=1", "name'", "é€", "con"]
    frame = pl.concat([walk("A", 5).with_columns(symbol=pl.lit(name)) for name in odd])
    import_bars(store, [write(tmp_path, frame)], seen_at=moment(0))
    assert sql.query(store, "FROM bars ORDER BY symbol, moment")["symbol"].unique().sort().to_list() == sorted(odd)
    folders = {entry.path.split("/")[2] for entry in read_manifest(store).entries("bars")}
    assert folders == {f"series={name.encode().hex()}" for name in odd}
    for entry in read_manifest(store).entries("bars")[1:]:  # the first tells a connection the types of the columns
        if entry.series != ("a/b",):
            (store.root / entry.path).write_bytes(b"damaged")
    asked = sql.query(store, "SELECT count(*) AS n FROM bars WHERE symbol = 'a/b'")
    assert asked["n"].to_list() == [5]
    long = walk("A", 5).with_columns(symbol=pl.lit("x" * 200))
    with pytest.raises(StoreError, match="is longer than 120 bytes; shorten it"):
        import_bars(store, [write(tmp_path, long)])
