"""Units, bases and timing: declared by the universe, by a flag or by the file, and never guessed."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from parquet_store import EngineError, export, import_files, open_store, read_manifest, scan
from parquet_store.universe import Universe, load_universe


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


@pytest.fixture
def imported(store, tmp_path):
    def run(file, text, **flags):
        (tmp_path / file).write_text(text)
        return import_files(store, [tmp_path / file], **flags)

    return run


@pytest.mark.parametrize(
    ("series", "value", "unit", "expected"),
    [
        ("CDX_NA_HY_5Y", 350, None, (350.0, "basis_points")),
        ("CDX_NA_HY_5Y", 3.5, "percent", (350.0, "basis_points")),
        ("CDX_NA_HY_5Y", 350, "basis_points", (350.0, "basis_points")),
        ("DGS10", 3.5, None, (3.5, "percent")),
        ("DGS10", 3.5, "basis_points", (0.035, "percent")),
    ],
)
def test_declared_units_are_converted_to_that_of_the_universe(store, imported, series, value, unit, expected):
    imported("x.csv", f"date,{series}\n2024-01-02,{value}\n", unit=unit)
    assert scan(store, "macro").collect().select("value", "unit").row(0) == pytest.approx(expected)


def test_column_of_units_declares_them(store, imported):
    text = "series,date,value,unit\nDGS10,2024-01-02,350,basis_points\nDTB3,2024-01-02,5,percent\n"
    imported("x.csv", text)
    assert scan(store, "macro").collect().select("value", "unit").rows() == [(3.5, "percent"), (5.0, "percent")]


def test_series_outside_the_universe_with_everything_declared(store, imported):
    text = "date,SOFR\n2024-01-05,5.3\n"
    imported("x.csv", text, kind="macro", unit="percent", known="next_session_morning")
    row = scan(store, "macro").collect().row(0, named=True)
    assert (row["series"], row["unit"]) == ("SOFR", "percent")
    assert row["known_at"] == datetime(2024, 1, 8, 14, tzinfo=UTC)


def test_price_outside_the_universe_is_known_at_the_close(store, imported):
    imported("x.csv", "symbol,date,close\nACME,2024-07-05,5\n", basis="split_adjusted")
    assert scan(store, "prices").collect()["known_at"].item() == datetime(2024, 7, 5, 20, tzinfo=UTC)


def test_universe_of_ones_own(store, imported):
    spec = load_universe()["DGS10"].model_copy(update={"name": "SOFR", "symbol": "SOFR"})
    imported("x.csv", "date,SOFR\n2024-01-05,5.3\n", universe=Universe(series=(spec,)))
    assert scan(store, "macro").collect()["series"].to_list() == ["SOFR"]


def test_names_of_providers_lead_to_those_of_the_store(store, imported):
    imported("x.csv", "symbol,date,close\n^VIX,2024-01-02,13\nSPX,2024-01-02,4700\n")
    assert scan(store, "prices").collect()["symbol"].to_list() == ["VIX", "^GSPC"]


def test_name_that_the_user_gives_may_be_the_providers(store, imported):
    imported("x.csv", "date,close\n2024-01-02,13\n", name="^VIX")
    assert scan(store, "prices").collect().select("symbol", "basis").row(0) == ("VIX", "index")


def test_empty_name_is_refused(imported):
    with pytest.raises(EngineError, match="--as ' ' cannot be the name of a series: it is empty"):
        imported("x.csv", "date,close\n2024-01-02,13\n", name=" ")


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        ("date,ACME,FOO\n2024-01-02,1,2\n", {}, r"does not know ACME, FOO.*add --kind prices\|macro"),
        ("date,ACME\n2024-01-02,1\n", {"kind": "prices"}, r"add --basis split_adjusted\|dividend_adjusted\|index"),
        ("date,ACME\n2024-01-02,1\n", {"kind": "macro"}, r"add --unit percent\|basis_points.* --known session_close"),
        ("date,ACME\n2024-01-02,1\n", {"kind": "macro", "unit": "percent"}, r"add --known session_close\|"),
        ("symbol,date,close\nACME,2024-01-02,1\n", {}, "add --basis"),
        ("date,close\n2024-01-02,1\n", {}, "does not say which series it holds; name it with --as NAME"),
        ("symbol,date,close\nSPY,2024-01-02,1\nQQQ,2024-01-02,1\n", {"name": "X"}, "the files hold QQQ, SPY"),
        ("date,VIXCLS\n2024-01-02,1\n", {"unit": "percent"}, "VIXCLS is held in index, and percent cannot be"),
        ("date,SPY\n2024-01-02,1\n", {"kind": "macro"}, "SPY belongs to the table prices, not macro"),
        ("date,SPY\n2024-01-02,1\n", {"kind": "actions"}, "actions need the columns symbol, date and dividend"),
        ("symbol,date,value\nSPY,2024-01-02,1\n", {"kind": "actions"}, "actions need the columns symbol, date"),
        ("symbol,date,close\nUNRATE,2024-01-02,1\n", {}, "the file holds prices of UNRATE, a macro series"),
        ("date,VIX\n2024-01-02,1\n", {"basis": "split_adjusted"}, "VIX has the basis index in the universe"),
        ("series,date,value,unit\nBAA,2024-01-01,1,bps\n", {}, "the column 'unit' says bps"),
        (
            "series,date,value,unit\nBAA,2024-01-01,1,percent\nBAA,2024-02-01,1,basis_points\n",
            {},
            "the column 'unit' says basis_points, percent",
        ),
    ],
)
def test_what_is_undeclared_or_contradicts_is_refused(store, imported, text, flags, message):
    with pytest.raises(EngineError, match=message):
        imported("file.csv", text, **flags)
    assert read_manifest(store).generation == 0


@pytest.mark.parametrize(
    ("flag", "word"), [("kind", "price"), ("unit", "bps"), ("basis", "adjusted"), ("known", "tomorrow")]
)
def test_unknown_words_are_refused_with_those_that_exist(imported, flag, word):
    with pytest.raises(EngineError, match=f"--{flag} {word} is unknown; use one of "):
        imported("x.csv", "date,SPY\n2024-01-02,1\n", **{flag: word})


def test_series_keeps_its_basis(store, imported):
    imported("x.csv", "symbol,date,close\nSPY,2024-01-02,470\n")
    with pytest.raises(EngineError, match=r"basis of SPY would be both dividend_adjusted and split_adjusted.*--as"):
        imported("y.csv", "symbol,date,adj_close\nSPY,2024-01-03,460\n")
    imported("z.csv", "symbol,date,adj_close\nSPY,2024-01-03,460\n", name="SPY-ADJUSTED")
    assert scan(store, "prices").collect().select("symbol", "basis").rows() == [
        ("SPY", "split_adjusted"),
        ("SPY-ADJUSTED", "dividend_adjusted"),
    ]


def test_series_outside_the_universe_keeps_its_unit(imported):
    flags = {"kind": "macro", "known": "next_session_morning"}
    imported("x.csv", "date,SOFR\n2024-01-02,5\n", unit="percent", **flags)
    with pytest.raises(EngineError, match="unit of SOFR would be both basis_points and percent"):
        imported("x.csv", "date,SOFR\n2024-01-03,500\n", unit="basis_points", **flags)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_comes_back_as_it_was(store, tmp_path, imported, suffix):
    imported("SPY.csv", "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,9,11,8,10,10,90\n")
    imported("m.csv", "date,CDX_NA_HY_5Y\n2024-01-02,350.123456789\n", source="dealer")
    imported("a.csv", "symbol,date,dividend\nSPY,2024-01-02,0.1\n")
    files = [tmp_path / f"{table}.{suffix}" for table in ("prices", "macro", "actions")]
    for path in files:
        export(store, path.stem, path)
    assert import_files(store, files).series["unchanged"].sum() == 3
    copy = open_store(tmp_path / "copy", create=True)
    import_files(copy, files)
    for table in ("prices", "macro", "actions"):
        assert scan(copy, table).drop("seen_at").collect().equals(scan(store, table).drop("seen_at").collect())


def test_exported_simulation_stays_simulated(store, tmp_path):
    frame = pl.DataFrame(
        {"symbol": ["SPY"], "date": [date(2024, 1, 2)], "close": [1.0], "source": ["simulated"]},
    )
    frame.write_csv(tmp_path / "x.csv")
    import_files(store, [tmp_path / "x.csv"])
    assert read_manifest(store).files[0].source == "simulated"
    (tmp_path / "y.csv").write_text("date,QQQ\n2024-01-02,1\n")
    with pytest.raises(EngineError, match="would mix simulated and real rows"):
        import_files(store, [tmp_path / "y.csv"])
