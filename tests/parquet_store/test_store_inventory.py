"""What the store says of itself, and what it gives out."""

import io
import json
from datetime import UTC, date, timedelta

import polars as pl
import pytest

from parquet_store import StoreError, append, export, import_files, open_store, status
from tests.parquet_store.rows import MONDAY, macro, moment, prices


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def test_empty_store_has_an_empty_status(store):
    assert status(store).is_empty()
    assert "stale" in status(store).columns


def test_gaps_are_counted_on_the_calendar_of_the_series(store):
    # Monday 2024-01-15 was a holiday of the exchange, 13 and 14 a weekend, 16 is missing.
    append(store, "prices", prices({("SPY", day): 1.0 for day in (0, 1, 2, 3, 4, 9)}))
    append(store, "prices", prices({("BTC-USD", day): 1.0 for day in (0, 1, 2, 3, 4, 9)}))
    append(store, "prices", prices({("ACME", day): 1.0 for day in (0, 9)}))
    rows = status(store).select("series", "gaps", "first_gaps").rows()
    weekend = [MONDAY + timedelta(days=day) for day in (5, 6, 7, 8)]
    assert rows == [("ACME", None, None), ("BTC-USD", 4, weekend), ("SPY", 1, [MONDAY + timedelta(days=8)])]


def test_only_the_first_gaps_are_listed(store):
    append(store, "prices", prices({("SPY", day): 1.0 for day in (0, 60)}))
    row = status(store).row(0, named=True)
    assert row["gaps"] == 41
    assert row["first_gaps"] == [MONDAY + timedelta(days=day) for day in (1, 2, 3, 4, 8)]


def test_staleness_is_measured_from_the_last_row(store):
    append(store, "macro", macro({("DGS10", 0): 4.0, ("SOFR", 0): 5.0}))
    fresh = status(store, today=MONDAY + timedelta(days=7))
    assert fresh.select("series", "days_old", "stale").rows() == [("DGS10", 7, False), ("SOFR", 7, None)]
    assert status(store, today=MONDAY + timedelta(days=8))["stale"].to_list() == [True, None]


def test_rows_revisions_sources_and_bytes(store):
    entries = [
        append(store, "macro", macro({("BAA", 0): 1.0, ("BAA", 1): 2.0}, source="fred"), seen_at=moment(0)),
        append(store, "macro", macro({("BAA", 1): 3.0, ("DBAA", 1): 3.0}, source="file:x"), seen_at=moment(1)),
    ]
    now = status(store)
    assert now.select("series", "source", "rows", "revised", "seen_last").rows() == [
        ("BAA", "file:x, fred", 2, 1, moment(1)),
        ("DBAA", "file:x", 1, 0, moment(1)),
    ]
    assert now["bytes"].sum() == pytest.approx(sum(entry.bytes for entry in entries), abs=1)  # shares are rounded
    before = status(store, as_of=moment(0))
    assert before.select("series", "source", "rows", "revised").rows() == [("BAA", "fred", 2, 0)]
    assert before["days_old"].item() == (moment(0).astimezone(UTC).date() - MONDAY).days - 1


def test_actions_are_listed_without_calendar(store, tmp_path):
    (tmp_path / "x.csv").write_text("symbol,date,dividend\nSPY,2024-01-02,1\n")
    import_files(store, [tmp_path / "x.csv"])
    row = status(store).row(0, named=True)
    assert (row["table"], row["rows"], row["gaps"], row["stale"]) == ("actions", 1, None, None)


class TestExport:
    @pytest.fixture
    def filled(self, store):
        append(store, "macro", macro({("A", 0): 1.0, ("B", 0): 2.0}), seen_at=moment(0))
        append(store, "macro", macro({("A", 0): 3.0}), seen_at=moment(1))
        return store

    def test_csv(self, filled, tmp_path):
        assert export(filled, "macro", tmp_path / "out.csv") == 2
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert lines[0] == "series,date,value,unit,known_at,seen_at,source"
        assert lines[1].startswith("A,2024-01-08,3.0,percent,2024-01-08T22:00:00")

    def test_json_and_moment_and_series(self, filled, tmp_path):
        export(filled, "macro", tmp_path / "out.json", series=["A"], as_of=moment(0))
        rows = json.loads((tmp_path / "out.json").read_text())
        assert [(row["series"], row["value"]) for row in rows] == [("A", 1.0)]

    def test_parquet_and_dates(self, filled, tmp_path):
        append(filled, "macro", macro({("A", 5): 9.0}))
        out = tmp_path / "somewhere"
        assert export(filled, "macro", out, format="parquet", first=date(2024, 1, 9)) == 1
        assert pl.read_parquet(out)["value"].to_list() == [9.0]

    def test_stream(self, filled):
        out = io.BytesIO()
        assert export(filled, "macro", out) == 2
        assert out.getvalue().count(b"\n") == 3

    def test_file_is_replaced_as_a_whole(self, filled, tmp_path):
        (tmp_path / "out.csv").write_text("old")
        export(filled, "macro", tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_text().startswith("series,")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "store"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"series": ["A", "SPY"]}, "has no rows of SPY.*engine data import"),
            ({"first": date(2030, 1, 1)}, "has no such rows"),
            ({"format": "xlsx"}, r"format xlsx is unknown; use --format csv\|parquet\|json"),
        ],
    )
    def test_what_is_not_there(self, filled, tmp_path, arguments, message):
        with pytest.raises(StoreError, match=message):
            export(filled, "macro", tmp_path / "out.csv", **arguments)
        assert not (tmp_path / "out.csv").exists()

    def test_format_from_the_name(self, filled, tmp_path):
        with pytest.raises(StoreError, match="format txt is unknown"):
            export(filled, "macro", tmp_path / "out.txt")

    def test_never_into_the_store(self, filled):
        with pytest.raises(StoreError, match="lies inside the store"):
            export(filled, "macro", filled.root / "data" / "out.csv")
