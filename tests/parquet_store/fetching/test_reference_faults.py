"""The provider replay with the real histories, where it is there: full fetch, faults of its own, growth day by day.

Every fault at every request of a full fetch: the requests of one fetch are disturbed at a time, each in another mode,
and the modes move on by one from fetch to fetch, so that as many fetches as there are modes try each mode at each
request. By default it is one such fetch of each kind; with ``--thorough`` all of them. A second question for a series
is asked only after an answer to the first, so the second ones are disturbed in fetches of their own.
"""

import json
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from parquet_store import load_universe, open_store, scan
from parquet_store.fetching import fetch, rebuild
from tests.conftest import faults_tried
from tests.parquet_store.fetching.conftest import NO_WAITING, pace_for
from tests.parquet_store.fetching.stored import Rows, each_row_is_in, lacks_none_of, of_series, same, stored
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

    def fault(self, mode: str, match: str) -> None:
        self.control("fault?" + urllib.parse.urlencode({"mode": mode, "times": 1, "match": match}))

    def asked(self) -> list[tuple[str, str | None]]:
        """Return the addresses asked so far, without the crumb, each with its fault."""
        return [(entry["path"].partition("&crumb=")[0], entry["fault"]) for entry in json.loads(self.control("log"))]


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


@pytest.fixture(scope="module")
def few(tool, tmp_path_factory) -> Rows:
    """Return the rows of an undisturbed fetch of a few series."""
    tool.until(LAST)
    store = open_store(tmp_path_factory.mktemp("few") / "store", create=True)
    run(store, series=FEW)
    return stored(store)


@pytest.mark.parametrize("mode", MODES)
def test_each_fault_of_the_tool_while_the_store_grows(tmp_path, tool, few, mode):
    store = open_store(tmp_path / "store", create=True)
    earlier = stored(store)
    before = len(tool.asked())
    for number, (day, series) in enumerate(zip((date(2026, 2, 27), date(2026, 3, 13), LAST, LAST), FEW, strict=True)):
        tool.until(day)
        tool.fault(mode, series)
        run(store, day, series=FEW, pace=pace_for(mode))
        found = stored(store)
        if mode != "revised":
            assert each_row_is_in(found, few)
        assert lacks_none_of(found, earlier)
        earlier = found
        assert [fault for _, fault in tool.asked()[before:]].count(mode) == number + 1
    run(store, series=FEW)
    assert same(stored(store), few)


@dataclass(frozen=True)
class Attempt:
    """A full fetch that is going to be disturbed: where it starts from, what it asks, and how it ends undisturbed.

    `questions` are the first ones for each series, and those asked after the first.
    """

    kind: str
    start: Path
    questions: tuple[tuple[str, ...], ...]
    before: Rows
    after: Rows


@pytest.fixture(scope="module", params=["first", "completing"])
def attempt(request, tool, tmp_path_factory) -> Attempt:
    """Return a fetch into an empty store, and one some days later, which asks for missing beginnings too."""
    folder = tmp_path_factory.mktemp("full")
    start = open_store(folder / "start", create=True)
    if request.param == "completing":
        tool.until(date(2026, 3, 13))
        run(start, date(2026, 3, 13))
    tool.until(LAST)
    shutil.copytree(folder / "start", folder / "finished")
    finished = open_store(folder / "finished")
    before = len(tool.asked())
    run(finished)
    first: dict[str, str] = {}
    for path, _ in tool.asked()[before:]:
        first.setdefault(series_asked(path), path)
    further = sorted({path for path, _ in tool.asked()[before:]} - set(first.values()))
    questions = tuple(tuple(group) for group in (sorted(first.values()), further) if group)
    return Attempt(request.param, folder / "start", questions, stored(start), stored(finished))


def series_asked(request: str) -> str:
    """Return the series that an address asks for; none where it is the crumb."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(request).query)
    symbol = query.get("id", [request.partition("?")[0].rsplit("/", 1)[1].removesuffix("_History.csv")])[0]
    spec = load_universe().find(symbol)
    return "" if spec is None else spec.name


def test_every_fault_of_the_tool_at_every_request_of_a_full_fetch(attempt, tool, tmp_path, request):
    thorough = request.config.getoption("--thorough")
    turns = range(len(MODES)) if thorough else (len(attempt.kind),)
    for number, (questions, turn) in enumerate(product(attempt.questions, turns)):
        modes = {asked: MODES[(place + turn) % len(MODES)] for place, asked in enumerate(questions)}
        root = tmp_path / str(number)
        shutil.copytree(attempt.start, root)
        for asked, mode in modes.items():
            tool.fault(mode, asked)
        before = len(tool.asked())
        report = run(open_store(root), pace=pace_for("hang"))
        hit = [(path, fault) for path, fault in tool.asked()[before:] if fault is not None]
        assert sorted(hit) == sorted(modes.items())
        _check(attempt, modes, report, stored(open_store(root)))
        again = run(open_store(root))
        assert again.failed == (), again.series["message"].to_list()
        assert same(stored(open_store(root)), attempt.after)
        for mode in modes.values():
            faults_tried(request.config)[f"real histories, {attempt.kind} fetch", mode] += 1
        shutil.rmtree(root)


def _check(attempt: Attempt, modes: dict[str, str], report, found: Rows) -> None:
    """Check that each series reads as before or as after, whatever was served to it, and that what failed is said."""
    for series, message in report.series.select("series", "message").rows():
        mine, before = of_series(found, series), of_series(attempt.before, series)
        served = {mode for asked, mode in modes.items() if series_asked(asked) == series}
        if series in report.failed:
            assert message
            assert same(mine, before)
        else:
            assert lacks_none_of(mine, before)
            assert "revised" in served or each_row_is_in(mine, attempt.after)
        if served <= {"429", "500", "hang", "drop", "old_header", "dots", "duplicate"}:
            assert series not in report.failed, message
            assert same(mine, of_series(attempt.after, series))
