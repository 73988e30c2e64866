"""Questions, what is said of wrong ones, and the forms of an answer."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO

import duckdb
import polars as pl
import pytest

import sql
from sql.table import table_text
from tests.sql.small_store import add, macro_rows, new_store, price_rows


@pytest.fixture
def store(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}))
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}))
    return store


def written(store, text, form, **options):
    out = BytesIO()
    rows = sql.run(store, text, out, form=form, **options)
    return rows, out.getvalue().decode()


def refused(store, text):
    with pytest.raises(sql.SqlError) as caught:
        sql.query(store, text)
    return str(caught.value)


def test_a_syntax_error_bears_its_position_and_the_views(store):
    message = refused(store, "SELECT date,\nFROM WHERE panel")
    assert "syntax error" in message
    assert "LINE 2: FROM WHERE panel\n             ^" in message
    views = "The views: prices, actions, macro, bars, adjusted, sessions, panel, panel_long, series, quarantine"
    assert views in message


def test_an_unknown_table_bears_its_position_and_the_views(store):
    message = refused(store, "SELECT *\nFROM pannel")
    assert "pannel does not exist" in message
    assert "LINE 2: FROM pannel\n             ^^^^^^" in message
    assert "The views: prices" in message


def test_an_unknown_column_bears_its_position_and_the_columns(store):
    message = refused(store, "SELECT date,\n  XLF\nFROM panel JOIN macro_as_of('2024-08-01') USING (date)")
    assert 'column "XLF" not found' in message
    assert "LINE 2:   XLF\n          ^^^" in message
    assert "The columns of panel: date, SPY, DGS10" in message
    assert "The columns of macro_as_of: series, date, value, unit, known_at, seen_at, source" in message


def test_a_failure_while_reading_bears_the_position_in_the_text(store):
    for form in ("csv", "table", "json"):
        with pytest.raises(sql.SqlError, match=r"LINE 1: SELECT CAST\(symbol AS INT\)"):
            written(store, "SELECT CAST(symbol AS INT) FROM prices", form)


def test_parameters_are_values_never_text(store):
    odd = "SPY' OR '1'='1"
    assert sql.query(store, "FROM prices WHERE symbol = $symbol", params={"symbol": "SPY"}).height == 2
    assert sql.query(store, "FROM prices WHERE symbol = ?", params=[odd]).is_empty()
    assert "parameters: d" in refused(store, "FROM prices WHERE date = $d")


def test_a_column_that_polars_does_not_hold_is_named(store):
    assert "cast it" in refused(store, "SELECT INTERVAL 1 DAY AS i")


def test_moments_are_in_utc(store):
    frame = sql.query(store, "SELECT close_at FROM sessions")
    assert frame.schema["close_at"] == pl.Datetime("us", "UTC")
    assert frame["close_at"][0] == datetime(2024, 7, 1, 20, tzinfo=UTC)


ANSWER = """
    SELECT 1 AS whole, 2.5::DOUBLE AS number, 'NaN'::DOUBLE AS none, NULL::DOUBLE AS empty, DATE '2024-07-01' AS day,
        TIMESTAMPTZ '2024-07-01 16:00:00-04' AS moment, TIMESTAMP '2024-07-01 16:00:00.25' AS local, 'a,"b"' AS text,
        sum(3) AS total, 1.50::DECIMAL(5, 2) AS price, [1.0::DOUBLE, NULL, 'NaN'::DOUBLE] AS list,
        {'d': DATE '2024-07-01'} AS object,
        INTERVAL 1 DAY AS span, true AS yes, 'infinity'::TIMESTAMPTZ AS never, '\\x01'::BLOB AS bytes
"""


def test_no_progress_bar_is_drawn_into_an_output(store):
    with sql.connect(store) as connection:
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)


def test_json_is_a_list_of_objects(store):
    rows, text = written(store, ANSWER, "json")
    assert rows == 1
    assert json.loads(text, parse_constant=pytest.fail) == [
        {
            "whole": 1, "number": 2.5, "none": None, "empty": None, "day": "2024-07-01",
            "moment": "2024-07-01T20:00:00Z", "local": "2024-07-01T16:00:00.250000", "text": 'a,"b"', "total": 3,
            "price": 1.5, "list": [1.0, None, None], "object": {"d": "2024-07-01"}, "span": "1 day", "yes": True,
            "never": "infinity", "bytes": "\\x01",
        }
    ]  # fmt: skip


def test_csv_tells_null_from_not_a_number(store):
    rows, text = written(store, ANSWER, "csv")
    header, line = text.splitlines()
    assert rows == 1
    assert header.startswith("whole,number,none,empty,day,moment,local,text,total")
    assert line.startswith('1,2.5,NaN,,2024-07-01,2024-07-01T20:00:00Z,2024-07-01T16:00:00.250000,"a,""b""",3,1.50,')


def test_parquet_keeps_types_and_tells_null_from_not_a_number(store, tmp_path):
    out = tmp_path / "answer.parquet"
    text = "SELECT close_at, 'NaN'::DOUBLE AS none, NULL::DOUBLE AS empty FROM sessions"
    assert sql.run(store, text, out) == 2
    frame = pl.read_parquet(out)
    assert frame.schema["close_at"] == pl.Datetime("us", "UTC")
    assert frame["none"].is_nan().all()
    assert frame["empty"].null_count() == 2


@pytest.mark.parametrize(("form", "expected"), [("csv", "date,SPY,DGS10\n"), ("json", "[\n]\n")])
def test_an_empty_answer_keeps_its_form(store, form, expected):
    assert written(store, "FROM panel WHERE date > '2025-01-01'", form) == (0, expected)


def test_large_answers_go_out_batch_by_batch(store, tmp_path):
    text = "SELECT range AS number FROM range(200000)"
    for form in ("csv", "json", "parquet"):
        assert sql.run(store, text, tmp_path / f"x.{form}") == 200_000
    assert pl.read_csv(tmp_path / "x.csv")["number"].to_list() == list(range(200_000))
    assert [row["number"] for row in json.loads((tmp_path / "x.json").read_text())] == list(range(200_000))
    assert pl.read_parquet(tmp_path / "x.parquet")["number"].to_list() == list(range(200_000))


def test_a_table_shows_both_ends_and_counts_all(store):
    rows, text = written(store, "SELECT range AS number, 'NaN'::DOUBLE AS a, NULL AS b FROM range(100000)", "table")
    lines = text.splitlines()
    assert rows == 100_000
    assert lines[0].split() == ["number", "a", "b"]
    assert lines[2].split() == ["0", "NaN", "null"]
    assert lines[22].split() == ["…", "…", "…"]
    assert lines[42].split() == ["99999", "NaN", "null"]
    assert lines[-1] == "100,000 rows; 99,960 of them not shown; --format csv shows all"


@pytest.mark.parametrize("width", [10, 40, 79, 200])
def test_a_table_fits_the_line(width):
    frame = pl.DataFrame({f"column_{number}": [number] for number in range(30)})
    text = table_text(frame, frame.clear(), 1, width)
    lines = text.splitlines()
    assert all(len(line) <= max(width, 20) for line in lines[:-1])
    assert lines[0].startswith("column_0")
    assert "of 30 columns not shown" in lines[-1]


def test_a_plan_is_shown_as_it_is(store):
    _, text = written(store, "EXPLAIN FROM prices", "table")
    assert "READ_PARQUET" in text
    assert "⏎" not in text


def test_the_file_is_replaced_when_the_answer_is_complete(store, tmp_path):
    out = tmp_path / "answer.csv"
    out.write_text("older")
    with pytest.raises(sql.SqlError):
        sql.run(store, "SELECT CASE WHEN range < 150000 THEN range ELSE error('stop') END AS x FROM range(200000)", out)
    assert out.read_text() == "older"
    sql.run(store, "SELECT 1 AS x", out)
    assert out.read_text() == "x\n1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.csv", "store"]


def test_the_text_may_stand_in_a_file(store, tmp_path):
    path = tmp_path / "question.sql"
    path.write_text("-- how many?\nSELECT count(*) AS n FROM prices;\n")
    assert written(store, path, "csv") == (1, "n\n2\n")
    path.write_bytes(b"SELECT '\xff'")
    with pytest.raises(sql.SqlError, match=r"question\.sql is not UTF-8 text"):
        written(store, path, "csv")
    with pytest.raises(sql.SqlError, match=r"absent\.sql cannot be read: No such file"):
        written(store, tmp_path / "absent.sql", "csv")


def test_forms_and_places_that_do_not_exist(store, tmp_path):
    with pytest.raises(sql.SqlError, match=r"does not say how to write it; end it in \.csv, \.json or \.parquet"):
        sql.run(store, "SELECT 1", tmp_path / "answer.txt")
    with pytest.raises(sql.SqlError, match="cannot be written: No such file"):
        sql.run(store, "SELECT 1", tmp_path / "absent" / "answer.csv")
    with pytest.raises(sql.SqlError, match="'xml' is no format; the formats are table, csv, json, parquet"):
        sql.run(store, "SELECT 1", BytesIO(), form="xml")
    with pytest.raises(sql.SqlError, match="cast it"):
        sql.run(store, "SELECT INTERVAL 1 DAY AS i", tmp_path / "answer.parquet")


def test_parquet_is_not_poured_over_a_terminal(store):
    class Terminal(BytesIO):
        def isatty(self):
            return True

    terminal = Terminal()
    with pytest.raises(sql.SqlError, match="give a file with --out"):
        sql.run(store, "SELECT 1 AS x", terminal, form="parquet")
    assert terminal.getvalue() == b""


def test_a_relation_turns_into_polars_and_leaves_the_connection_free(store):
    with sql.connect(store) as connection:
        answer = sql.relation(connection, "SELECT date, SPY FROM panel")
        assert answer.pl().equals(pl.DataFrame(answer.to_arrow_table()))
        reader = answer.to_arrow_reader(1)
        with pytest.raises(sql.SqlError, match="drain or destroy"):
            sql.query(connection, "FROM prices")
        reader.close()
        assert sql.query(connection, "FROM prices").height == 2


def test_a_reader_given_up_halfway_leaves_the_connection_free(store):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sql.run(store, "FROM prices", Full(), form="csv")


def run_python(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)


def test_importing_and_connecting_load_nothing_heavy(store):
    code = """
import sys, sql, parquet_store
connection = sql.connect(parquet_store.open_store(sys.argv[1]))
connection.sql("SELECT count(*) FROM prices").fetchall()
heavy = ["pandas", "numba", "vectorbt", "plotly", "holidays", "pyarrow"]
sys.stdout.write(str([name for name in heavy if name in sys.modules]))
"""
    done = run_python(code, str(store.root))
    assert done.stdout == "[]"
    assert done.stderr == ""


def test_a_slow_question_draws_no_bar_into_what_is_written(store):
    with sql.connect(store) as connection:
        assert connection.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_what_is_kept_is_what_would_be_computed(store):
    with sql.connect(store) as computing, sql.connect(store) as keeping:
        sql.keep_alignment(keeping)
        for view in ("sessions", "aligned", "panel", "panel_long"):
            order = "ORDER BY ALL"
            assert keeping.sql(f"FROM {view} {order}").fetchall() == computing.sql(f"FROM {view} {order}").fetchall()


def test_connecting_closes_what_fails(store, monkeypatch):
    monkeypatch.setattr("sql.connection.statement", lambda *_: "SELECT nonsense")
    with pytest.raises(duckdb.Error):
        sql.connect(store)
