"""Values that cannot be right stay out, prices out of order are mentioned, and a refused import leaves nothing."""

from datetime import date, timedelta

import pytest

from parquet_store import EngineError, import_files, open_store, scan
from parquet_store.quarantine import release

FIRST = date(2024, 1, 1)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def spreads(path, values):
    """Write a file of high-yield spreads, whose bounds are 1 to 40 percent."""
    lines = [f"{FIRST + timedelta(days=number)},{value}" for number, value in enumerate(values)]
    path.write_text("\n".join(["date,BAMLH0A0HYM2", *lines]) + "\n")
    return path


def test_a_value_out_of_bounds_goes_to_the_quarantine_and_the_import_says_so(store, tmp_path):
    file = spreads(tmp_path / "spreads.csv", [3.5] * 9 + [350.0])
    report = import_files(store, [file])
    assert any(
        "1 values of BAMLH0A0HYM2 lie outside 1 to 40 percent and were put into quarantine, the first on 2024-01-10"
        in note
        for note in report.notes
    )
    assert report.series["new"].to_list() == [9]
    held = scan(store, "quarantine").collect()
    assert held.select("table_name", "series", "date", "status").rows() == [
        ("macro", "BAMLH0A0HYM2", date(2024, 1, 10), "held")
    ]
    assert import_files(store, [file]).manifest_id == report.manifest_id


def test_a_released_value_comes_in_with_the_next_import(store, tmp_path):
    file = spreads(tmp_path / "spreads.csv", [3.5] * 9 + [350.0])
    import_files(store, [file])
    release(store, "macro", "BAMLH0A0HYM2")
    import_files(store, [file])
    assert scan(store, "macro").collect()["value"].to_list() == [3.5] * 9 + [350.0]


def test_basis_points_declared_as_percent_are_refused(store, tmp_path):
    file = spreads(tmp_path / "spreads.csv", [331.0, 332.0])
    with pytest.raises(
        EngineError,
        match=r"line 2: BAMLH0A0HYM2 2024-01-01: 2 of 2 values lie outside 1 to 40 percent, this one with 331; say in",
    ):
        import_files(store, [file], unit="percent")
    assert import_files(store, [file], unit="basis_points").series["new"].to_list() == [2]


def test_prices_out_of_order_come_in_and_are_mentioned(store, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text(
        "symbol,date,open,high,low,close\nSPY,2024-01-02,1,2,1,3\nSPY,2024-01-03,1,2,1,2\nQQQ,2024-01-02,1,,1,2\n"
    )
    report = import_files(store, [file])
    (note,) = [note for note in report.notes if "above their high" in note]
    assert note.startswith("1 rows of SPY have a price above their high or below their low, the first on 2024-01-02")
    assert scan(store, "prices").collect().height == 3


@pytest.mark.parametrize("name", ["date", "Date", "BAA@next_morning", "two\nlines", " SPY", "", " "])
def test_names_that_no_series_can_have(store, tmp_path, name):
    (tmp_path / "file.csv").write_text("date,value\n2024-01-02,1\n")
    with pytest.raises(EngineError, match="cannot be the name of a series: ") as raised:
        import_files(store, [tmp_path / "file.csv"], name=name, kind="prices", basis="index")
    assert "\n" not in str(raised.value)


def test_names_in_files_are_held_to_the_same(store, tmp_path):
    (tmp_path / "file.csv").write_text("symbol,date,close\nA@B,2024-01-02,1\n")
    with pytest.raises(EngineError, match=r"'A@B' cannot be the name of a series: it holds @.*name it with --as"):
        import_files(store, [tmp_path / "file.csv"], basis="index")


@pytest.mark.parametrize("place", ["store", "new/folders/store"])
def test_a_refused_first_import_leaves_nothing(engine, tmp_path, place):
    (tmp_path / "file.csv").write_text("date,SPY\n2024-01-02,abc\n")
    refused = engine("data", "import", "file.csv", "--store", place)
    assert refused.returncode == 2
    assert "'abc' is not a number" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


def test_a_refused_import_leaves_an_empty_folder_empty_and_a_store_as_it_was(engine, tmp_path):
    (tmp_path / "bad.csv").write_text("date,SPY\n2024-01-02,abc\n")
    (tmp_path / "good.csv").write_text("date,SPY\n2024-01-02,1\n")
    (tmp_path / "store").mkdir()
    assert engine("data", "import", "bad.csv").returncode == 2
    assert not list((tmp_path / "store").iterdir())
    assert engine("data", "import", "good.csv").returncode == 0
    assert engine("data", "import", "bad.csv").returncode == 2
    assert scan(open_store(tmp_path / "store"), "prices").collect().height == 1
