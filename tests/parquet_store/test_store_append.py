"""Appending and reading: schemas, revisions, as-of reads, pruning, several tables in one change."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import polars as pl
import pytest
from pyarrow.parquet import ParquetFile

from parquet_store import SCHEMAS, Store, StoreError, append, append_many, default_root, open_store, read_manifest, scan
from parquet_store.writer import with_seen_at
from tests.parquet_store.rows import MONDAY, NOON, held, macro, moment, prices


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def test_new_store_is_empty_and_every_table_reads_with_its_schema(store):
    for table, schema in SCHEMAS.items():
        frame = scan(store, table).collect()
        assert frame.is_empty()
        assert dict(frame.schema) == dict(schema.columns)


def test_appended_rows_read_back_sorted_by_key(store):
    append(store, "macro", macro({("B", 1): 2.0, ("A", 3): 1.0, ("B", 0): 5.0}), seen_at=NOON)
    rows = scan(store, "macro").collect()
    assert rows.select("series", "value").rows() == [("A", 1.0), ("B", 5.0), ("B", 2.0)]
    assert rows["seen_at"].unique().to_list() == [NOON]


def test_entry_describes_its_file(store):
    entry = append(store, "macro", macro({("B", 1): 2.0, ("A", 3): 1.0}), seen_at=NOON, run_id="r1")
    payload = (store.root / entry.path).read_bytes()
    assert (entry.rows, entry.bytes, entry.sha256) == (2, len(payload), sha256(payload).hexdigest())
    assert (entry.first, entry.last) == (MONDAY + timedelta(days=1), MONDAY + timedelta(days=3))
    assert (entry.series, entry.seen_at, entry.seen_last) == (("A", "B"), NOON, NOON)
    assert (entry.source, entry.run_id) == ("test", "r1")
    assert read_manifest(store).files == (entry,)


def test_file_is_sorted_zstd_parquet_with_statistics(store):
    entry = append(store, "macro", macro({("B", 1): 2.0, ("A", 3): 1.0}), seen_at=NOON)
    metadata = ParquetFile(store.root / entry.path).metadata
    column = metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert (column.statistics.min, column.statistics.max) == ("A", "B")
    assert pl.read_parquet(store.root / entry.path)["series"].to_list() == ["A", "B"]


def test_revision_is_read_from_the_moment_it_was_seen(store):
    append(store, "macro", macro({("A", 0): 1.0, ("A", 1): 2.0}), seen_at=moment(0))
    append(store, "macro", macro({("A", 1): 3.0}), seen_at=moment(10))
    assert held(store) == {("A", 0): 1.0, ("A", 1): 3.0}
    assert held(store, as_of=moment(9)) == {("A", 0): 1.0, ("A", 1): 2.0}
    assert held(store, as_of=moment(10)) == {("A", 0): 1.0, ("A", 1): 3.0}
    assert held(store, as_of=moment(-1)) == {}


def test_row_seen_earlier_but_written_later_does_not_hide_the_newer_one(store):
    append(store, "macro", macro({("A", 0): 2.0}), seen_at=moment(10))
    append(store, "macro", macro({("A", 0): 1.0}), seen_at=moment(0))
    assert held(store) == {("A", 0): 2.0}
    assert held(store, as_of=moment(5)) == {("A", 0): 1.0}


def test_of_two_rows_seen_at_one_moment_the_one_written_last_counts(store):
    for value in (1.0, 2.0, 3.0):
        append(store, "macro", macro({("A", 0): value}), seen_at=NOON)
    assert held(store) == {("A", 0): 3.0}


def test_frame_with_moments_of_its_own_keeps_them(store):
    vintages = pl.concat(
        with_seen_at(macro({("A", 0): value}), moment(minutes)) for minutes, value in ((0, 1.0), (5, 2.0))
    )
    entry = append(store, "macro", vintages)
    assert (entry.seen_at, entry.seen_last) == (moment(0), moment(5))
    assert held(store, as_of=moment(4)) == {("A", 0): 1.0}
    assert held(store) == {("A", 0): 2.0}


def test_default_moment_is_now_and_never_before_what_is_held(store, monkeypatch):
    before = datetime.now(UTC)
    first = append(store, "macro", macro({("A", 0): 1.0}))
    assert before <= first.seen_at <= datetime.now(UTC)

    class ClockSetBack(datetime):
        @classmethod
        def now(cls, tz=None):
            return first.seen_at.astimezone(tz) - timedelta(hours=1)

    monkeypatch.setattr("parquet_store.writer.datetime", ClockSetBack)
    append(store, "macro", macro({("A", 0): 2.0}))
    assert held(store) == {("A", 0): 2.0}


def test_several_tables_are_one_change(store):
    entries = append_many(store, [("macro", macro({("A", 0): 1.0})), ("prices", prices({("SPY", 0): 100.0}))])
    manifest = read_manifest(store)
    assert manifest.generation == 1
    assert manifest.files == entries
    assert len({entry.seen_at for entry in entries}) == 1


def test_manifest_id_names_the_data(store, tmp_path):
    other = open_store(tmp_path / "other", create=True)
    assert read_manifest(store).id == read_manifest(other).id
    for each in (store, other):
        append(each, "macro", macro({("A", 0): 1.0}), seen_at=NOON)
    assert read_manifest(store).id == read_manifest(other).id
    append(store, "macro", macro({("A", 1): 1.0}), seen_at=NOON)
    assert read_manifest(store).id != read_manifest(other).id


def test_nothing_is_overwritten(store):
    first = append(store, "macro", macro({("A", 0): 1.0}), seen_at=NOON)
    payload = (store.root / first.path).read_bytes()
    for value in (1.0, 2.0):
        append(store, "macro", macro({("A", 0): value}), seen_at=NOON)
    assert (store.root / first.path).read_bytes() == payload
    assert len({entry.path for entry in read_manifest(store).files}) == 3


def test_what_a_dead_writer_left_is_cleared_away(store):
    (store.staging / "00000007-000-abc.parquet").write_bytes(b"half a file")
    append(store, "macro", macro({("A", 0): 1.0}))
    assert list(store.staging.iterdir()) == []


def test_ledger_takes_other_columns_and_selects_by_run(store):
    append(store, "sweep_results", pl.DataFrame({"run_id": "a", "xlf_dma": [150, 200]}), run_id="a")
    append(store, "sweep_results", pl.DataFrame({"run_id": "b", "threshold": [1.5]}), run_id="b")
    both = scan(store, "sweep_results").collect()
    assert both.select("run_id", "xlf_dma", "threshold").rows() == [
        ("a", 150, None),
        ("a", 200, None),
        ("b", None, 1.5),
    ]
    assert scan(store, "sweep_results", run_id="b").collect().columns == ["run_id", "seen_at", "threshold"]


def test_last_state_of_a_run_counts(store):
    for minutes, status in enumerate(("running", "stopped", "finished")):
        frame = pl.DataFrame({"run_id": ["a"], "status": [status]})
        append(store, "sweep_runs", frame, seen_at=moment(minutes), run_id="a")
    assert scan(store, "sweep_runs").collect()["status"].to_list() == ["finished"]
    assert scan(store, "sweep_runs", as_of=moment(1)).collect()["status"].to_list() == ["stopped"]


def test_selection_by_series_and_dates(store):
    append(store, "macro", macro({(series, day): day for series in "AB" for day in range(10)}))
    day = lambda number: MONDAY + timedelta(days=number)  # noqa: E731
    rows = scan(store, "macro", series=["B"], first=day(3), last=day(4)).collect()
    assert rows.select("series", "date").rows() == [("B", day(3)), ("B", day(4))]


def test_files_without_the_series_or_dates_are_not_opened(store):
    wanted = append(store, "macro", macro({("A", 0): 1.0}))
    for values in ({("B", 0): 1.0}, {("A", 9): 1.0}):
        entry = append(store, "macro", macro(values))
        (store.root / entry.path).unlink()
    rows = scan(store, "macro", series=["A"], last=MONDAY + timedelta(days=1)).collect()
    assert rows.height == wanted.rows


def test_rows_seen_later_than_the_moment_asked_for_are_not_opened(store):
    append(store, "macro", macro({("A", 0): 1.0}), seen_at=moment(0))
    later = append(store, "macro", macro({("A", 0): 2.0}), seen_at=moment(1))
    (store.root / later.path).unlink()
    assert held(store, as_of=moment(0)) == {("A", 0): 1.0}


@pytest.mark.parametrize(
    ("damage", "message"),
    [(lambda path: path.unlink(), "is missing"), (lambda path: path.write_bytes(b"PAR1"), "has 4 bytes instead of")],
)
def test_missing_or_cut_file_is_named(store, damage, message):
    entry = append(store, "macro", macro({("A", 0): 1.0}))
    damage(store.root / entry.path)
    with pytest.raises(StoreError, match=f"{entry.path} {message}"):
        scan(store, "macro")


def test_reads_under_one_manifest_see_one_store(store):
    append(store, "macro", macro({("A", 0): 1.0}))
    manifest = read_manifest(store)
    append(store, "macro", macro({("A", 0): 2.0}))
    assert scan(store, "macro", manifest=manifest).collect()["value"].to_list() == [1.0]


def broken(change):
    return change(macro({("A", 0): 1.0, ("A", 1): 2.0}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("unit"), "needs the column unit"),
        (lambda f: f.with_columns(colour=pl.lit("red")), "no column colour"),
        (lambda f: f.with_columns(pl.col("value").cast(pl.String)), "column 'value' of table 'macro' must be of type"),
        (lambda f: f.with_columns(pl.col("known_at").dt.replace_time_zone(None)), "column 'known_at'"),
        (lambda f: f.with_columns(value=pl.lit(None, pl.Float64)), "'value' is missing at series A, date 2024-01-08"),
        (lambda f: f.with_columns(value=pl.lit(float("nan"))), "'value' is not a finite number"),
        (lambda f: f.with_columns(date=pl.lit(MONDAY)), "two rows have the same key"),
        (lambda f: f.clear(), "no rows"),
    ],
)
def test_frames_that_break_the_schema_are_refused_and_change_nothing(store, change, message):
    with pytest.raises(StoreError, match=message):
        append_many(store, [("macro", macro({("B", 0): 1.0})), ("macro", broken(change))])
    assert read_manifest(store).generation == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": pl.lit(0.0)}, "'close' must be above zero"),
        ({"low": pl.lit(-1.0)}, "'low' must be above zero"),
        ({"basis": pl.lit("raw")}, "'basis' must be one of split_adjusted"),
    ],
)
def test_impossible_prices_are_refused(store, change, message):
    with pytest.raises(StoreError, match=message):
        append(store, "prices", prices({("SPY", 0): 1.0}).with_columns(**change))


def test_harmless_types_are_converted(store):
    frame = macro({("A", 0): 1.0}).with_columns(
        pl.col("value").cast(pl.Int32),
        pl.col("series").cast(pl.Categorical),
        pl.col("known_at").dt.convert_time_zone("America/New_York").dt.cast_time_unit("ms"),
    )
    append(store, "macro", frame)
    assert dict(scan(store, "macro").collect().schema) == dict(SCHEMAS["macro"].columns)


@pytest.mark.parametrize(
    ("seen_at", "message"),
    [(datetime(2024, 1, 1), "no time zone"), (datetime(2999, 1, 1, tzinfo=UTC), "lies in the future")],  # noqa: DTZ001
)
def test_moments_that_cannot_be_are_refused(store, seen_at, message):
    with pytest.raises(StoreError, match=message):
        append(store, "macro", macro({("A", 0): 1.0}), seen_at=seen_at)


def test_reading_asks_for_what_exists(store):
    with pytest.raises(StoreError, match=r"no table 'bonds'.*prices, actions, macro"):
        scan(store, "bonds")
    with pytest.raises(StoreError, match="no time zone"):
        scan(store, "macro", as_of=datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(StoreError, match="has no series to choose by"):
        scan(store, "sweep_runs", series=["SPY"])


def test_simulated_and_real_rows_do_not_share_a_store(store):
    append(store, "macro", macro({("A", 0): 1.0}, source="simulated"))
    with pytest.raises(StoreError, match="would mix simulated and real rows"):
        append(store, "prices", prices({("SPY", 0): 1.0}))
    append(store, "prices", prices({("SPY", 0): 1.0}, source="simulated"))
    append(store, "sweep_runs", pl.DataFrame({"run_id": ["a"]}))


def test_nothing_to_write_is_an_error(store):
    with pytest.raises(StoreError, match="nothing to write"):
        append_many(store, [])


class TestOpening:
    def test_absent_store_says_how_to_make_one(self, tmp_path):
        with pytest.raises(StoreError, match=r"no store at .*engine data demo.*engine data import"):
            open_store(tmp_path / "absent")

    def test_folder_of_other_things_is_left_alone(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("precious")
        for create in (False, True):
            with pytest.raises(StoreError, match="is not a store"):
                open_store(tmp_path, create=create)

    def test_newer_format_is_refused_with_both_versions(self, store):
        path = store.manifest_path
        path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
        with pytest.raises(StoreError, match="has format 3, and this version of the engine reads up to 2"):
            open_store(store.root)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"rows":1', '"rows":2'),
            lambda _: "",
            lambda _: "[]",
            lambda _: json.dumps({"hello": "world"}),
        ],
    )
    def test_damaged_manifest_is_noticed(self, store, damage):
        append(store, "macro", macro({("A", 0): 1.0}))
        store.manifest_path.write_text(damage(store.manifest_path.read_text()))
        with pytest.raises(StoreError, match=r"manifest .* is damaged"):
            open_store(store.root)

    def test_opening_twice_keeps_the_store(self, store):
        append(store, "macro", macro({("A", 0): 1.0}))
        assert held(open_store(store.root, create=True)) == {("A", 0): 1.0}

    def test_missing_manifest_of_a_store_with_data_is_not_taken_for_an_empty_store(self, store):
        append(store, "macro", macro({("A", 0): 1.0}))
        store.manifest_path.unlink()
        with pytest.raises(StoreError, match=r"no manifest\.json"):
            open_store(store.root, create=True)

    def test_place_comes_from_the_environment(self, monkeypatch):
        monkeypatch.delenv("ENGINE_STORE", raising=False)
        assert str(default_root()) == "store"
        monkeypatch.setenv("ENGINE_STORE", "elsewhere")
        assert str(default_root()) == "elsewhere"

    def test_manifest_that_cannot_be_read(self, tmp_path):
        with pytest.raises(StoreError, match="cannot be read"):
            read_manifest(Store(tmp_path))
