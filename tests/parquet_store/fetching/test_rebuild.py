"""Reading the archive again: with the same parsers nothing changes, with mended ones the difference is a revision."""

import shutil
from dataclasses import replace

import polars as pl
import pytest

from parquet_store import EngineError, import_files, open_store, scan
from parquet_store.fetching import rebuild
from parquet_store.sources import cboe
from tests.parquet_store.fetching.made_up_market import LAST, days_before, universe
from tests.parquet_store.fetching.replay_server import Fault
from tests.parquet_store.fetching.stored import same, stored


@pytest.fixture
def store(tmp_path, replay, fetch_until):
    """A store that was fed on four days, with a split, a fault, a revision and a jump among what came."""
    opened = open_store(tmp_path / "store", create=True)
    replay.market.splits["FUND"] = [(days_before(LAST, 4), 2.0)]
    replay.faults = [Fault("garbage", "FEAR"), Fault("revised", "SPREAD")]
    for back in (8, 6, 3, 0):
        replay.until = days_before(LAST, back)
        fetch_until(opened)
    return opened


def test_the_archive_gives_back_the_store(store):
    report = rebuild(store, universe=universe())
    assert (report.fetches, report.rows.height, report.notes) == (4, 0, ())


def test_a_store_can_be_made_again_from_its_archive(tmp_path, store):
    again = open_store(tmp_path / "again", create=True)
    shutil.copytree(store.root / "raw", again.root / "raw")
    report = rebuild(again, universe=universe())
    assert same(stored(again), stored(store))
    assert report.rows["state"].unique().to_list() == ["new"]


def test_a_mended_parser_writes_revisions_and_the_past_stays(store, monkeypatch):
    before = stored(store)
    seen = scan(store, "prices").select(pl.col("seen_at").max()).collect().item()
    parse = cboe.SOURCE.parse

    def mended(spec, body):
        parsed = parse(spec, body)
        return replace(parsed, rows=parsed.rows.with_columns(pl.col("high") + 1.0))

    monkeypatch.setattr(cboe, "SOURCE", replace(cboe.SOURCE, parse=mended))
    planned = rebuild(store, universe=universe(), dry_run=True)
    assert same(stored(store), before)
    done = rebuild(store, universe=universe())
    assert done.rows.equals(planned.rows)
    assert done.rows["series"].unique().to_list() == ["FEAR"]
    fear = pl.col("symbol") == "FEAR"
    expected = before["prices"].with_columns(pl.when(fear).then(pl.col("high") + 1.0).otherwise("high").alias("high"))
    assert stored(store)["prices"].equals(expected)
    assert scan(store, "prices", as_of=seen).drop("seen_at").collect().equals(before["prices"])
    assert rebuild(store, universe=universe()).rows.is_empty()


def test_an_answer_that_could_not_be_read_comes_in_once_the_parser_can(tmp_path, replay, fetch_until, monkeypatch):
    store = open_store(tmp_path / "fresh", create=True)
    replay.faults = [Fault("new_header", "FEAR")]
    assert fetch_until(store, series=["FEAR"]).failed == ("FEAR",)
    parse = cboe.SOURCE.parse

    def knows_the_header(spec, body):
        return parse(spec, body.replace(b"DAY,", b"DATE,", 1))

    monkeypatch.setattr(cboe, "SOURCE", replace(cboe.SOURCE, parse=knows_the_header))
    report = rebuild(store, universe=universe())
    assert report.rows.height == len(replay.market.bars["FEAR"])
    assert scan(store, "prices").collect().height == report.rows.height


def test_an_import_that_came_later_stays(tmp_path, store):
    day = days_before(LAST, 2)
    (tmp_path / "mine.csv").write_text(f"series,date,value\nSPREAD,{day},7.5\n")
    import_files(store, [tmp_path / "mine.csv"], universe=universe())
    assert rebuild(store, universe=universe()).rows.is_empty()
    assert scan(store, "macro", series=["SPREAD"]).filter(date=day).collect()["value"].to_list() == [7.5]


def test_an_empty_archive_is_an_error(tmp_path):
    with pytest.raises(EngineError, match=r"the archive at .* is empty; `engine data fetch` fills it"):
        rebuild(open_store(tmp_path / "empty", create=True), universe=universe())
