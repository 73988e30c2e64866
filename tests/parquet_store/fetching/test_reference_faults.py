"""The provider replay with the real histories, where it is there: full fetch, faults of its own, growth day by day."""

import json
import subprocess
import sys
import urllib.request
from datetime import UTC, date, datetime, time

import polars as pl
import pytest

from parquet_store import open_store, scan
from parquet_store.fetching import fetch, rebuild
from tests.parquet_store.fetching.conftest import NO_WAITING, pace_for
from tests.parquet_store.fetching.stored import each_row_is_in, lacks_none_of, same, stored
from tests.real_data import REAL_DATA

TOOL = REAL_DATA.parent / "tools" / "provider_replay.py"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not TOOL.is_file(), reason=f"no provider replay at {TOOL}"),
]

LAST = date(2026, 3, 31)
FEW = ["SPY", "VIX", "BAMLH0A0HYM2", "UNRATE"]
MODES = (
    *("429", "500", "404", "hang", "drop", "truncated", "html", "empty", "headers_only", "three_years", "revised"),
    *("garbage", "duplicate", "backwards", "old_header", "dots", "nan_last"),
)


class Tool:
    """The replay tool in a process of its own."""

    def __init__(self, base: str) -> None:
        self.base = base

    def control(self, command: str) -> bytes:
        with urllib.request.urlopen(f"{self.base}/__{command}") as response:  # noqa: S310 - loopback
            return response.read()

    def until(self, day: date) -> None:
        self.control(f"until?date={day}")


@pytest.fixture(scope="module")
def tool():
    process = subprocess.Popen(
        [sys.executable, TOOL, "--port", "0", "--data", REAL_DATA], stdout=subprocess.PIPE, text=True
    )
    base = process.stdout.readline().strip()
    with pytest.MonkeyPatch.context() as environment:
        for name in ("FRED", "YAHOO", "CBOE"):
            environment.setenv(f"ENGINE_{name}_URL", base)
        environment.delenv("FRED_API_KEY", raising=False)
        # Its pipe has to be read, or it stops when the pipe is full.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield Tool(base)
    process.terminate()
    process.wait()
    process.stdout.close()
    drain.wait()


def run(store, last: date = LAST, **options):
    return fetch(store, **{"now": datetime.combine(last, time(23, 45), UTC), "pace": NO_WAITING, **options})


def test_a_full_fetch_equals_the_files(tmp_path, tool):
    tool.until(LAST)
    store = open_store(tmp_path / "store", create=True)
    report = run(store)
    assert report.failed == ()
    assert scan(store, "quarantine").collect().is_empty()
    given = pl.read_parquet(REAL_DATA / "prices_daily.parquet").filter(
        (pl.col("symbol") != "BTC-USD") | (pl.col("date") < LAST)
    )
    held = scan(store, "prices").select("symbol", "date", "close").collect()
    assert held.height == given.height
    both = held.join(given, on=["symbol", "date"])
    assert both.select((pl.col("close") / pl.col("close_right") - 1.0).abs().max()).item() < 1e-9
    fetched_series = [name for name in report.series["series"] if name != "CDX_NA_HY_5Y"]
    macro = pl.read_parquet(REAL_DATA / "macro_daily.parquet").filter(pl.col("series_id").is_in(fetched_series))
    assert (
        scan(store, "macro")
        .select("series", "date", "value")
        .collect()
        .sort("series", "date")
        .equals(macro.drop_nulls().select(pl.col("series_id").alias("series"), "date", "value").sort("series", "date"))
    )
    assert rebuild(store).rows.is_empty()
    again = run(store)
    assert again.series.select(pl.col("new", "revised").sum()).row(0) == (0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_each_fault_of_the_tool_at_each_series(tmp_path, tool, mode):
    tool.until(LAST)
    whole = open_store(tmp_path / "whole", create=True)
    run(whole, series=FEW)
    after = stored(whole)
    store = open_store(tmp_path / "store", create=True)
    earlier = stored(store)
    for number, (day, series) in enumerate(zip((date(2026, 2, 27), date(2026, 3, 13), LAST, LAST), FEW, strict=True)):
        tool.until(day)
        tool.control(f"fault?mode={mode}&times=1&match={series}")
        run(store, day, series=FEW, pace=pace_for(mode))
        found = stored(store)
        if mode != "revised":
            assert each_row_is_in(found, after)
        assert lacks_none_of(found, earlier)
        earlier = found
        log = json.loads(tool.control("log"))
        assert [entry["fault"] for entry in log].count(mode) == number + 1
    run(store, series=FEW)
    assert same(stored(store), after)
