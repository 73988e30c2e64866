"""Every shape of file that import recognises, and what becomes of its rows."""

from datetime import date

import polars as pl
import pytest

from parquet_store import import_files, open_store, read_manifest, scan

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-03,10,12,9,11,10.5,100\n2024-01-02,9,11,8,10,9.5,90\n"


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


@pytest.fixture
def imported(store, tmp_path):
    """Return a function that writes a file, imports it and returns the report."""

    def run(file, text, **flags):
        (tmp_path / file).write_text(text)
        return import_files(store, [tmp_path / file], **flags)

    return run


def rows(store, table, *columns):
    return scan(store, table).collect().select(columns).rows()


def test_yahoo_download(store, imported):
    report = imported("SPY.csv", YAHOO)
    assert report.files["shape"].item() == "Yahoo download"
    assert rows(store, "prices", "symbol", "date", "open", "close", "volume", "basis", "source") == [
        ("SPY", date(2024, 1, 2), 9.0, 10.0, 90.0, "split_adjusted", "yahoo"),
        ("SPY", date(2024, 1, 3), 10.0, 11.0, 100.0, "split_adjusted", "yahoo"),
    ]
    assert "adj_close was not stored" in report.notes[0]


def test_yahoo_download_declares_the_basis_of_an_unknown_symbol(store, imported):
    imported("download.csv", YAHOO, name="ACME")
    assert rows(store, "prices", "symbol", "basis")[0] == ("ACME", "split_adjusted")


def test_yahoo_download_with_missing_day_and_events(store, imported):
    text = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
    text += "2024-01-02 00:00:00-05:00,9,11,8,10,90,0.0,0.0\n2024-01-03 00:00:00-05:00,null,null,null,null,null,0,0\n"
    text += "2024-01-04 00:00:00-05:00,9,11,8,5,90,0.25,2.0\n"
    report = imported("SPY.csv", text)
    assert [day for (day,) in rows(store, "prices", "date")] == [date(2024, 1, 2), date(2024, 1, 4)]
    assert rows(store, "actions", "symbol", "date", "kind", "value") == [
        ("SPY", date(2024, 1, 4), "dividend", 0.25),
        ("SPY", date(2024, 1, 4), "split", 2.0),
    ]
    assert report.series.filter(table="prices")["without_value"].item() == 1


def test_cboe_download(store, imported):
    report = imported("VIX_History.csv", "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24,17.24\n")
    assert report.files["shape"].item() == "Cboe download"
    assert rows(store, "prices", "symbol", "date", "close", "basis", "source") == [
        ("VIX", date(1990, 1, 2), 17.24, "index", "cboe")
    ]


@pytest.mark.parametrize("header", ["observation_date", "DATE"])
@pytest.mark.parametrize("missing", [".", ""])
def test_fred_download_of_both_ages(store, imported, header, missing):
    report = imported("graph.csv", f"{header},DGS10\n2024-01-01,{missing}\n2024-01-02,3.95\n")
    assert report.files["shape"].item() == "FRED download"
    assert rows(store, "macro", "series", "date", "value", "unit", "source") == [
        ("DGS10", date(2024, 1, 2), 3.95, "percent", "fred")
    ]
    assert report.series["without_value"].item() == 1


def test_wide_file_of_several_kinds(store, imported):
    imported("wide.csv", "date,SPY,^VIX,UNRATE\n2024-01-02,470,13,\n2024-01-03,468,14,3.7\n")
    assert rows(store, "prices", "symbol", "close", "open") == [
        ("SPY", 470.0, None),
        ("SPY", 468.0, None),
        ("VIX", 13.0, None),
        ("VIX", 14.0, None),
    ]
    assert rows(store, "macro", "series", "value") == [("UNRATE", 3.7)]


@pytest.mark.parametrize("column", ["symbol", "ticker", "series", "series_id"])
def test_long_values(store, imported, column):
    imported("long.csv", f"{column},date,value\nUNRATE,2024-01-01,3.7\nSPY,2024-01-02,470\n")
    assert rows(store, "macro", "series", "value") == [("UNRATE", 3.7)]
    assert rows(store, "prices", "symbol", "close") == [("SPY", 470.0)]


def test_values_of_one_series_are_named_by_the_file_or_the_user(store, imported):
    imported("DGS10.csv", "date,value\n2024-01-02,3.95\n")
    imported("rates.csv", "date,value\n2024-01-02,5.2\n", name="DTB3")
    assert rows(store, "macro", "series", "value") == [("DGS10", 3.95), ("DTB3", 5.2)]


def test_long_prices_without_the_other_columns(store, imported):
    imported("long.csv", "symbol,date,close\nSPY,2024-01-02,470\n")
    assert rows(store, "prices", "open", "close", "volume") == [(None, 470.0, None)]


def test_adjusted_closes_alone_are_kept_and_marked(store, imported):
    imported("adjusted.csv", "symbol,date,adj_close\nSPY,2024-01-02,460\n")
    assert rows(store, "prices", "close", "basis") == [(460.0, "dividend_adjusted")]


@pytest.mark.parametrize(
    "text",
    [
        "symbol,date,dividend\nSPY,2024-03-15,1.5\n",
        "symbol,date,dividend,split\nSPY,2024-03-15,1.5,0\n",
        "symbol,date,kind,value\nSPY,2024-03-15,dividend,1.5\n",
    ],
)
def test_corporate_actions(store, imported, text):
    imported("actions.csv", text)
    assert rows(store, "actions", "symbol", "date", "kind", "value") == [("SPY", date(2024, 3, 15), "dividend", 1.5)]


def test_parquet_is_read_like_csv(store, tmp_path):
    frame = pl.DataFrame({"series_id": ["BAA"], "date": [date(2024, 1, 1)], "value": [5.6]})
    frame.write_parquet(tmp_path / "macro.parquet")
    import_files(store, [tmp_path / "macro.parquet"])
    assert rows(store, "macro", "series", "value", "source") == [("BAA", 5.6, "file:macro.parquet")]


def test_not_a_number_in_parquet_is_a_missing_value(store, tmp_path):
    days = [date(2024, 1, 1), date(2024, 2, 1)]
    frame = pl.DataFrame({"date": days, "BAA": [float("nan"), 5.6]})
    frame.write_parquet(tmp_path / "macro.parquet")
    import_files(store, [tmp_path / "macro.parquet"])
    assert rows(store, "macro", "date", "value") == [(days[1], 5.6)]


def test_folder_and_file_together_are_one_change(store, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "SPY.csv").write_text(YAHOO)
    (folder / "readme.md").write_text("not data")
    (tmp_path / "BAA.csv").write_text("observation_date,BAA\n2024-01-01,5.6\n")
    report = import_files(store, [folder, tmp_path / "BAA.csv"])
    manifest = read_manifest(store)
    assert manifest.generation == 1
    assert manifest.id == report.manifest_id
    assert report.files["rows"].to_list() == [2, 1]


def test_unsorted_rows_blank_lines_byte_order_mark_and_carriage_returns(store, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfdate,BAA\r\n2024-02-01, 5.5 \r\n\r\n2024-01-01,5.6\r\n")
    import_files(store, [tmp_path / "x.csv"])
    assert rows(store, "macro", "date", "value") == [(date(2024, 1, 1), 5.6), (date(2024, 2, 1), 5.5)]


def test_second_import_writes_what_is_new_or_changed(store, imported):
    imported("BAA.csv", "date,BAA\n2024-01-01,5.6\n2024-02-01,5.5\n")
    first = read_manifest(store)
    assert imported("BAA.csv", "date,BAA\n2024-01-01,5.6\n2024-02-01,5.5\n").series["unchanged"].item() == 2
    assert read_manifest(store) == first
    report = imported("BAA.csv", "date,BAA\n2024-02-01,5.4\n2024-03-01,5.3\n")
    counts = report.series.select("new", "revised", "unchanged", "first", "last").row(0)
    assert counts == (1, 1, 0, date(2024, 2, 1), date(2024, 3, 1))
    assert [value for (value,) in rows(store, "macro", "value")] == [5.6, 5.4, 5.3]
    as_before = scan(store, "macro", as_of=first.files[-1].seen_last).collect()
    assert as_before["value"].to_list() == [5.6, 5.5]


def test_closes_alone_do_not_erase_what_is_held_beside_them(store, imported):
    imported("SPY.csv", YAHOO)
    report = imported("wide.csv", "date,SPY\n2024-01-02,10\n2024-01-03,11.5\n")
    assert report.series.select("new", "revised", "unchanged").row(0) == (0, 1, 1)
    assert rows(store, "prices", "open", "close", "volume") == [(9.0, 10.0, 90.0), (10.0, 11.5, 100.0)]


def test_adjusted_closes_are_compared_with_the_derived_ones(store, imported, tmp_path):
    (tmp_path / "dividends.csv").write_text("symbol,date,dividend\nSPY,2024-01-03,1\n")
    text = "symbol,date,close,adj_close\nSPY,2024-01-02,10,9\nSPY,2024-01-03,9.9,9.9\nSPY,2024-01-04,9.9,9.9\n"
    without = imported("prices.csv", text)
    assert without.series["adjusted_difference"].item() == pytest.approx(0.11)
    assert "differ from the derived ones" in without.notes[1]
    assert "SPY" in without.notes[1]
    import_files(store, [tmp_path / "dividends.csv"])
    assert imported("prices.csv", text).series["adjusted_difference"].item() < 1e-12


def test_dividend_on_a_day_without_a_close_counts_on_the_next(imported, store, tmp_path):
    (tmp_path / "dividends.csv").write_text("symbol,date,dividend\nSPY,2024-01-06,1\n")
    import_files(store, [tmp_path / "dividends.csv"])
    text = "symbol,date,close,adj_close\nSPY,2024-01-05,10,9\nSPY,2024-01-08,9.9,9.9\n"
    assert imported("prices.csv", text).series["adjusted_difference"].item() < 1e-12
