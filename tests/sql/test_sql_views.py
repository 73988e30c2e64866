"""The views show what the store's own reader shows, whatever files are called and however often rows were revised."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import sql
from parquet_store import SCHEMAS, append, open_store, read_manifest, scan
from tests.sql.small_store import LATER, SEEN, add, dividend_rows, macro_rows, new_store, price_rows

TABLES = ("prices", "actions", "macro")


@pytest.fixture
def revised(tmp_path):
    """A store in which XLF stands alone, and SPY, a dividend and DGS10 were revised."""
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0, "2024-07-03": 102.0}))
    add(store, "prices", price_rows("XLF", {"2024-07-01": 10.0, "2024-07-02": 11.0}))
    add(store, "prices", price_rows("SPY", {"2024-07-02": 201.0, "2024-07-05": 103.0}), LATER)
    add(store, "actions", dividend_rows("SPY", {"2024-07-02": 1.0}))
    add(store, "actions", dividend_rows("SPY", {"2024-07-02": 2.0}), LATER)
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0, "2024-07-02": 4.1}))
    add(store, "macro", macro_rows("DGS10", {"2024-07-02": 4.2}), LATER)
    return store


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("as_of", [None, SEEN, LATER, datetime(2024, 1, 1, tzinfo=UTC)])
def test_a_table_reads_as_the_store_reads_it(revised, table, as_of):
    keys = list(SCHEMAS[table].key)
    expected = scan(revised, table, as_of=as_of).collect()
    moment = "infinity" if as_of is None else as_of.isoformat()
    for answer in (
        sql.query(revised, f"FROM {table}", as_of=as_of),
        sql.query(revised, f"FROM {table}_as_of($moment)", params={"moment": moment}),
    ):
        assert_frame_equal(answer.sort(keys), expected.sort(keys))


def test_of_rows_seen_at_one_moment_the_later_file_counts(tmp_path):
    store = new_store(tmp_path)
    for value in (3.0, 5.0, 4.0):
        add(store, "macro", macro_rows("DGS10", {"2024-07-01": value}))
    assert sql.query(store, "SELECT value FROM macro")["value"].to_list() == [4.0]


def test_what_was_seen_later_counts_even_if_it_was_written_before(tmp_path):
    store = new_store(tmp_path)
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 5.0}), LATER)
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 3.0}), SEEN)
    assert sql.query(store, "SELECT value FROM macro")["value"].to_list() == [5.0]
    assert sql.query(store, "SELECT value FROM macro", as_of=SEEN)["value"].to_list() == [3.0]


def test_a_file_may_hold_several_versions_of_a_row(tmp_path):
    store = new_store(tmp_path)
    older, newer = (
        macro_rows("DGS10", {"2024-07-01": value}).with_columns(seen_at=pl.lit(seen))
        for value, seen in ((3.0, SEEN), (5.0, LATER))
    )
    append(store, "macro", pl.concat([older, newer]).cast({"seen_at": pl.Datetime("us", "UTC")}))
    assert sql.query(store, "SELECT value FROM macro")["value"].to_list() == [5.0]
    assert sql.query(store, "SELECT value FROM macro", as_of=SEEN)["value"].to_list() == [3.0]


def test_an_empty_store_has_every_view_with_its_columns(tmp_path):
    store = new_store(tmp_path)
    for table, schema in SCHEMAS.items():
        answer = sql.query(store, f"FROM {table}")
        assert answer.is_empty()
        assert dict(answer.schema) == dict(schema.columns)
    for view in sql.VIEWS:
        assert sql.query(store, f"FROM {view}").is_empty()
        if view != "series":
            assert (
                sql.query(store, f"FROM {view}_as_of('2024-01-01')").columns == sql.query(store, f"FROM {view}").columns
            )


def test_what_does_not_overlap_is_not_deduplicated(revised):
    with sql.connect(revised) as connection:
        both = connection.sql("EXPLAIN FROM prices").fetchall()[0][1]
        alone = connection.sql("EXPLAIN FROM sweep_results").fetchall()[0][1]
    assert "row_number" in both
    assert "row_number" not in alone


def test_files_that_share_no_key_are_read_as_they_are(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}))
    add(store, "prices", price_rows("SPY", {"2024-07-03": 102.0}), LATER)
    add(store, "prices", price_rows("XLF", {"2024-07-01": 10.0}))
    with sql.connect(store) as connection:
        plan = connection.sql("EXPLAIN FROM prices").fetchall()[0][1]
    assert "row_number" not in plan
    assert sql.query(store, "FROM prices").height == 4


def test_trials_of_different_strategies_stand_in_one_view(tmp_path):
    store = new_store(tmp_path)
    append(store, "sweep_results", pl.DataFrame({"run_id": ["a"], "xlf_dma": [200], "sharpe": [0.5]}), seen_at=SEEN)
    append(store, "sweep_results", pl.DataFrame({"run_id": ["b"], "lookback": [20], "sharpe": [None]}), seen_at=LATER)
    answer = sql.query(store, "SELECT run_id, xlf_dma, lookback, sharpe FROM sweep_results ORDER BY run_id")
    assert answer.rows() == [("a", 200, None, 0.5), ("b", None, 20, None)]
    assert sql.query(store, "SELECT run_id FROM sweep_results", as_of=SEEN)["run_id"].to_list() == ["a"]


def test_a_run_shows_its_latest_state(tmp_path):
    store = new_store(tmp_path)
    for status, seen in (("running", SEEN), ("finished", LATER)):
        append(store, "sweep_runs", pl.DataFrame({"run_id": ["a"], "status": [status]}), seen_at=seen)
    assert sql.query(store, "SELECT status FROM sweep_runs").rows() == [("finished",)]
    assert sql.query(store, "SELECT status FROM sweep_runs_as_of($1)", params=[SEEN]).rows() == [("running",)]


def test_names_of_folders_and_series_may_hold_anything(tmp_path):
    root = tmp_path / "it's [a] *store* $files {key}" / "year=2024"
    root.mkdir(parents=True)
    store = open_store(root / "s", create=True)
    odd = """o'dd "name" $series {key} ]['"""
    add(store, "prices", price_rows("SPY", {"2024-07-01": 1.0}))
    add(store, "prices", price_rows(odd, {"2024-07-01": 2.0}))
    answer = sql.query(store, "FROM panel")
    assert answer.columns == ["date", "SPY", odd]
    assert answer.row(0) == (date(2024, 7, 1), 1.0, 2.0)
    assert sql.query(store, "FROM prices").columns == list(SCHEMAS["prices"].columns)


def test_names_that_differ_only_in_case_keep_their_columns_apart(tmp_path):
    store = new_store(tmp_path)
    for value, name in enumerate(("spy", "SPY", "Date")):
        add(store, "prices", price_rows(name, {"2024-07-01": value + 1.0}))
    answer = sql.query(store, "FROM panel")
    assert answer.width == 4
    assert sorted(answer.row(0)[1:]) == [1.0, 2.0, 3.0]


def test_a_name_in_both_tables_stands_for_the_price(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("UNRATE", {"2024-07-01": 7.0}))
    add(store, "macro", macro_rows("UNRATE", {"2024-01-01": 3.0}))
    assert sql.query(store, "SELECT series, kind FROM series").rows() == [("UNRATE", "price")]
    assert sql.query(store, "SELECT value FROM panel_long").rows() == [(7.0,)]


def test_more_series_in_a_file_than_the_manifest_lists(tmp_path):
    store = new_store(tmp_path)
    many = [price_rows(f"S{number:03d}", {"2024-07-01": float(number + 1)}) for number in range(300)]
    add(store, "prices", pl.concat(many))
    assert read_manifest(store).entries("prices")[0].series is None
    assert sql.query(store, "SELECT S000, S299 FROM panel").row(0) == (1.0, 300.0)


def test_a_connection_shows_one_state_of_the_store(tmp_path):
    store = new_store(tmp_path)
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}))
    with sql.connect(store) as connection:
        add(store, "macro", macro_rows("DGS10", {"2024-07-02": 4.1}), LATER)
        assert sql.query(connection, "FROM macro").height == 1
    assert sql.query(store, "FROM macro").height == 2


def test_the_series_tell_their_rules(revised):
    rows = sql.query(revised, "SELECT series, kind, unit, calendar, known, carry FROM series").rows()
    assert rows == [
        ("SPY", "price", "usd", "nyse", "session_close", "none"),
        ("XLF", "price", "usd", "nyse", "session_close", "none"),
        ("DGS10", "macro", "percent", "bond", "next_session_morning", "week"),
    ]


def test_an_as_of_moment_needs_a_time_zone(tmp_path):
    with pytest.raises(sql.SqlError, match="no time zone"):
        sql.connect(new_store(tmp_path), as_of=datetime(2024, 1, 1))  # noqa: DTZ001 - the mistake under test
