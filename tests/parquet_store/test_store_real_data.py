"""The real daily data comes in whole, with one call, and derived total returns agree with the adjusted closes."""

from datetime import date
from itertools import pairwise

import polars as pl
import pytest

from parquet_store import import_files, open_store, read_manifest, scan, status
from tests.real_data import REAL_DATA, needs_real_data

pytestmark = [needs_real_data, pytest.mark.real_data]

YAHOO_ROUNDING = 3e-6
"""Adjusted closes bear six decimals, which limits how well a daily return can agree."""


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("real") / "store", create=True)
    return store, import_files(store, [REAL_DATA])


def test_everything_comes_in_as_one_change(imported):
    store, report = imported
    assert read_manifest(store).generation == 1
    held = {table: scan(store, table).select(pl.len()).collect().item() for table in ("prices", "actions", "macro")}
    files = {"prices": "prices_daily", "actions": "dividends", "macro": "macro_daily"}
    for table, name in files.items():
        assert held[table] == pl.scan_parquet(REAL_DATA / f"{name}.parquet").select(pl.len()).collect().item()
    assert report.series["new"].sum() == sum(held.values())


def test_second_import_changes_nothing(imported):
    store, first = imported
    again = import_files(store, [REAL_DATA])
    assert again.manifest_id == first.manifest_id
    assert again.series.select(pl.col("new", "revised").sum()).row(0) == (0, 0)


def test_report_says_how_well_derived_returns_agree(imported):
    _, report = imported
    difference = report.series.filter(table="prices")["adjusted_difference"]
    assert difference.null_count() == 0
    assert difference.max() < YAHOO_ROUNDING
    of_vix, of_closes = report.notes
    assert "rows of VIX have a price above their high or below their low" in of_vix
    assert of_closes == "adj_close was not stored: adjusted closes are derived from close and dividends"


def test_total_return_index_agrees_with_adjusted_closes_over_the_whole_history(imported):
    """Compound the derived returns of the store's rows by hand, and compare with the file's adjusted closes."""
    store, _ = imported
    given = pl.read_parquet(REAL_DATA / "prices_daily.parquet").select("symbol", "date", "adj_close")
    dividends = scan(store, "actions").filter(pl.col("kind") == "dividend").select("symbol", "date", "value").collect()
    for (symbol,), closes in scan(store, "prices").collect().sort("date").group_by(["symbol"]):
        joined = closes.join(dividends, on=["symbol", "date"], how="left").join(given, on=["symbol", "date"])
        ordered = joined.sort("date")
        index = [1.0]
        rows = ordered.select("close", pl.col("value").fill_null(0.0)).rows()
        for (previous, _), (close, dividend) in pairwise(rows):
            index.append(index[-1] * close / (previous - dividend))
        published = (ordered["adj_close"] / ordered["adj_close"][0]).to_list()
        relative = max(abs(ours / theirs - 1.0) for ours, theirs in zip(index, published, strict=True))
        assert relative < 2e-4, symbol


def test_known_peculiarities_are_found(imported):
    store, _ = imported
    rows = status(store, today=date(2026, 4, 1)).rows_by_key("series", named=True)
    gaps = {series: held[-1]["gaps"] for series, held in rows.items()}
    assert gaps["SPY"] == gaps["BTC-USD"] == gaps["BAA"] == gaps["CDX_NA_HY_5Y"] == 0
    assert rows["UNRATE"][0]["first_gaps"] == [date(2025, 10, 1)]
    assert not any(held[-1]["stale"] for held in rows.values())
