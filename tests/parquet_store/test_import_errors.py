"""Files that cannot be imported: one sentence that names file, line and remedy, and nothing written."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from parquet_store import EngineError, import_files, open_store, read_manifest


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("  \n", "the file is empty"),
        ("date,SPY\n", "a header and no rows"),
        ("<!DOCTYPE html>\n<html></html>", "a web page"),
        ('{"error": "limit"}', "a web page or a message"),
        ("Exceeded the daily hits limit", "line 1 has no two columns"),
        ("date;SPY\n2024-01-02;1\n", "line 1 has no two columns separated by a comma"),
        ("date,SPY\n2024-01-02,abc\n", "line 2: column 'SPY': 'abc' is not a number"),
        ('date,SPY\n2024-01-02,1\n2024-01-03,"1,234"\n', "line 3: column 'SPY': '1,234' is not a number"),
        ("date,SPY\n2024-01-02,inf\n", "line 2: column 'SPY': 'inf' is not a number"),
        ("date,SPY\n2024-01-02,NaN\n", "line 2: column 'SPY': 'NaN' is not a number"),
        ("date,SPY\n2024-01-02,5%\n", "line 2: column 'SPY': '5%' is not a number"),
        ("date,SPY\n2024-01-02,1\n2024-02-30,1\n", "line 3: column 'date': '2024-02-30' is not a date written like"),
        ("date,SPY\n01/02/2024,1\n", "line 2: column 'date': '01/02/2024' is not a date written like 2024-01-31"),
        ("date,SPY\n,1\n", "line 2: column 'date': None is not a date"),
        ("date,SPY\n1024-01-02,1\n", "line 2: column 'date': '1024-01-02' lies outside 1915-01-01 to tomorrow"),
        ("date,SPY\n2999-01-02,1\n", "lies outside 1915-01-01 to tomorrow"),
        ("day,SPY\n2024-01-02,1\n", "no column is named date; the header is day, SPY"),
        ("date,SPY\n2024-01-02,0\n", "line 2: SPY 2024-01-02: close is 0 and must be above zero"),
        ("date,SPY\n2024-01-02,-3.5\n", "line 2: SPY 2024-01-02: close is -3.5 and must be above zero"),
        ("symbol,date,low,close\nSPY,2024-01-02,0,1\n", "line 2: SPY 2024-01-02: low is 0"),
        ("symbol,date,dividend\nSPY,2024-01-02,-1\n", "line 2: SPY 2024-01-02 dividend: value is -1"),
        ("symbol,date,kind,value\nSPY,2024-01-02,gift,1\n", "line 2: SPY 2024-01-02 gift: kind is 'gift'; use one of"),
        (
            "symbol,date,close,colour\nSPY,2024-01-02,1,red\n",
            "unknown column colour; remove it, or rename it",
        ),
        ("symbol,date,price\nSPY,2024-01-02,1\n", "expected beside symbol and date: close, dividend, split or value"),
        ("symbol,date,close\n,2024-01-02,1\n", "line 2: column 'symbol': None is empty"),
        ("date,SPY\n2024-01-02,1\n2024-01-02,1\n", "line 3: SPY 2024-01-02: the same row is also in .*file.csv line 2"),
        ("date,SPY\n2024-01-02,1\n2024-01-02,2\n", "the same row is also in .*; keep one of them"),
        ("date,SPY,SPY\n2024-01-02,1,1\n", "line 1 names the column 'SPY' twice"),
        ("date,SPY,Date\n2024-01-02,1,1\n", "the columns 'date' and 'Date' mean the same"),
        ("date,SPY\n2024-01-02,1,9\n", "line 2 has 3 cells and the header 2"),
        ("date,SPY,QQQ\n2024-01-02,1,2\n2024-01-03,1\n", "line 3 has 2 cells and the header 3"),
        ("date,unit\n2024-01-02,percent\n", "no column beside the date"),
        ("date,SPY\n2024-01-02,.\n", "no row holds a value"),
        ("DATE,OPEN,HIGH,LOW,CLOSE\n13/02/2024,1,1,1,1\n", "'13/02/2024' is not month/day/year"),
    ],
)
def test_csv(store, tmp_path, text, message):
    (tmp_path / "file.csv").write_text(text)
    with pytest.raises(EngineError, match=message) as raised:
        import_files(store, [tmp_path / "file.csv"])
    assert "file.csv" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("nothing was imported")
    assert read_manifest(store).generation == 0


def test_text_in_another_encoding(store, tmp_path):
    (tmp_path / "file.csv").write_bytes(b"date,SPY\n2024-01-02,1\n2024-01-03,\xa35\n")
    with pytest.raises(EngineError, match="line 3 is not UTF-8 text; save the file as UTF-8"):
        import_files(store, [tmp_path / "file.csv"])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"date": ["yesterday"], "SPY": [1.0]}, "row 1: column 'date': 'yesterday' is not a date"),
        ({"date": [5], "SPY": [1.0]}, "column 'date' holds Int64 instead of dates"),
        ({"date": [date(2024, 1, 2)], "SPY": [True]}, "column 'SPY' holds Boolean instead of numbers"),
        ({"date": [date(2024, 1, 2)], "SPY": ["x"]}, "row 1: column 'SPY': 'x' is not a number"),
        ({"date": [date(2024, 1, 2)], "SPY": [float("inf")]}, "row 1: column 'SPY': inf is not a number"),
        ({"date": [datetime(2024, 1, 2, 9, 30, tzinfo=UTC)], "SPY": [1.0]}, "is a moment within the day"),
        ({"symbol": [7], "date": [date(2024, 1, 2)], "close": [1.0]}, "column 'symbol' holds Int64 instead of names"),
    ],
)
def test_parquet(store, tmp_path, frame, message):
    pl.DataFrame(frame).write_parquet(tmp_path / "file.parquet")
    with pytest.raises(EngineError, match=message):
        import_files(store, [tmp_path / "file.parquet"])
    assert read_manifest(store).generation == 0


def test_damaged_parquet(store, tmp_path):
    pl.DataFrame({"date": [date(2024, 1, 2)], "SPY": [1.0]}).write_parquet(tmp_path / "file.parquet")
    payload = (tmp_path / "file.parquet").read_bytes()
    (tmp_path / "file.parquet").write_bytes(payload[: len(payload) // 2])
    with pytest.raises(EngineError, match=r"file\.parquet: the file is damaged or no Parquet file"):
        import_files(store, [tmp_path / "file.parquet"])


def test_overlap_between_files_names_both(store, tmp_path):
    (tmp_path / "a.csv").write_text("date,SPY\n2024-01-02,1\n")
    (tmp_path / "b.csv").write_text("date,SPY\n2024-01-01,1\n2024-01-02,1\n")
    with pytest.raises(EngineError, match=r"b\.csv line 3: SPY 2024-01-02: .*also in .*a\.csv line 2; keep one"):
        import_files(store, [tmp_path])


def test_one_wrong_file_keeps_the_right_ones_out(store, tmp_path):
    (tmp_path / "a.csv").write_text("date,SPY\n2024-01-02,1\n")
    (tmp_path / "b.csv").write_text("date,BAA\n2024-01-01,oops\n")
    with pytest.raises(EngineError, match=r"b\.csv line 2"):
        import_files(store, [tmp_path])
    assert read_manifest(store).generation == 0


def test_paths_that_are_not_there_or_not_data(store, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    for paths, message in (
        ([], "no file was given"),
        ([tmp_path / "absent.csv"], "no such file"),
        ([tmp_path / "notes.txt"], r"only \.csv and \.parquet"),
        ([empty], r"the folder holds no \.csv or \.parquet file"),
    ):
        with pytest.raises(EngineError, match=message):
            import_files(store, paths)


def test_file_given_twice(store, tmp_path):
    (tmp_path / "SPY.csv").write_text("date,SPY\n2024-01-02,1\n")
    with pytest.raises(EngineError, match="given twice"):
        import_files(store, [tmp_path / "SPY.csv", tmp_path])
