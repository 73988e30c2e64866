"""Every fault at every request, one after another: the store reads as before or as after, and a re-run finishes."""

import shutil

import polars as pl
import pytest

from parquet_store import open_store, scan
from tests.parquet_store.fetching.conftest import pace_for
from tests.parquet_store.fetching.replay_server import BENT, KEY, MODES, PASSING, REFUSED, Fault
from tests.parquet_store.fetching.stored import each_row_is_in, lacks_none_of, of_series, same, stored

SERIES = ("FUND", "COIN-USD", "FEAR", "SPREAD", "JOBLESS")

ALWAYS = 1000

SAID = {
    "429": ("too many requests (status 429), asked 4 times",),
    "500": ("the server failed (status 500), asked 4 times",),
    "hang": ("no answer within 1 s, asked 4 times",),
    "drop": ("asked 4 times",),
    "404": ("there is no such series or page (status 404)",),
    "truncated": ("half a body", "no whole JSON document"),
    "html": ("a web page instead of data",),
    "empty": ("the answer is empty",),
    "new_header": ("the header is", "JSON without"),
    "headers_only": ("the answer has no rows",),
    "backwards": ("the days of the answer do not rise",),
}
"""What the report says of a series that failed, by mode."""


@pytest.fixture
def before_and_after(tmp_path, fetched):
    """Return a store that lacks the last ten sessions, its rows, and the rows of one that lacks nothing."""
    shutil.copytree(fetched[0], tmp_path / "old")
    old = open_store(tmp_path / "old")
    return old, stored(old), stored(open_store(fetched[1]))


def said_of(report, series: str) -> str:
    """Return everything that a report says of a series."""
    message = report.series.filter(series=series)["message"][0]
    return " ".join([message, *(note for note in report.notes if series in note)])


@pytest.mark.parametrize("mode", REFUSED)
def test_refused_answers_leave_their_series_as_it_was(tmp_path, replay, fetch_until, before_and_after, mode):
    old, before, after = before_and_after
    for series in SERIES:
        shutil.copytree(old.root, tmp_path / series)
        store = open_store(tmp_path / series)
        replay.faults = [Fault(mode, series)]
        report = fetch_until(store)
        assert report.failed == (series,)
        assert any(sentence in said_of(report, series) for sentence in SAID[mode])
        found = stored(store)
        for table, column in {"prices": "symbol", "actions": "symbol", "macro": "series"}.items():
            mine, theirs = pl.col(column) == series, pl.col(column) != series
            assert found[table].filter(mine).equals(before[table].filter(mine))
            assert found[table].filter(theirs).equals(after[table].filter(theirs))
        fetch_until(store, series=[series])
        assert same(stored(store), after)


@pytest.mark.parametrize("mode", PASSING)
def test_passing_faults_are_asked_again_within_the_same_fetch(tmp_path, replay, fetch_until, before_and_after, mode):
    old, _, after = before_and_after
    for series in SERIES:
        shutil.copytree(old.root, tmp_path / series)
        store = open_store(tmp_path / series)
        replay.faults = [Fault(mode, series, times=2)]
        assert fetch_until(store, series=[series], pace=pace_for(mode)).failed == ()
        assert same(of_series(stored(store), series), of_series(after, series))


@pytest.mark.parametrize("mode", PASSING)
def test_faults_that_do_not_pass_fail_their_series_and_say_so(replay, fetch_until, before_and_after, mode):
    old, before, after = before_and_after
    replay.log.clear()
    replay.faults = [Fault(mode, times=ALWAYS)]
    report = fetch_until(old, pace=pace_for(mode))
    assert set(report.failed) == set(SERIES)
    assert all(SAID[mode][0] in said_of(report, series) for series in ("FEAR", "SPREAD"))
    assert same(stored(old), before)
    replay.faults = []
    fetch_until(old)
    assert same(stored(old), after)


@pytest.mark.parametrize("mode", BENT)
@pytest.mark.parametrize("series", SERIES)
def test_bent_answers_bring_in_only_true_rows(tmp_path, replay, fetch_until, before_and_after, mode, series):
    old, before, after = before_and_after
    mine = of_series(after, series)
    for first_time in (False, True):
        store = old if not first_time else open_store(tmp_path / "new", create=True)
        replay.faults = [Fault(mode, series)]
        report = fetch_until(store, series=[series])
        found = stored(store)
        assert mode == "revised" or each_row_is_in(found, after)
        if not first_time:
            assert lacks_none_of(found, before)
        _check_what_is_said(mode, series, report, store, first_time=first_time)
        fetch_until(store, series=[series])
        assert same(of_series(stored(store), series), mine)


def _check_what_is_said(mode, series, report, store, *, first_time: bool) -> None:
    """Check that a fault that costs rows, or changes them, is mentioned."""
    said, counts = said_of(report, series), report.series.filter(series=series).row(0, named=True)
    quarantine = scan(store, "quarantine").collect().filter(series=series)
    match mode:
        case "garbage":
            assert counts["waiting"] == 1
            assert quarantine["reason"].to_list() == ["a value is not a number"]
        case "contradiction" if counts["state"] != "failed":
            assert "the day has two different rows" in quarantine["reason"].to_list()
        case "duplicate":
            assert "1 rows came twice" in said
        case "three_years" if first_time:
            assert "lack their beginning" in said
        case "revised" if not first_time:
            assert counts["revised"] > 0 or counts["waiting"] > 0 or counts["new"] > 0


@pytest.mark.parametrize("mode", ["headers_only", "html", "404", "500", "garbage", "backwards", "duplicate"])
def test_the_api_with_a_key_has_the_same_guards(tmp_path, replay, fetch_until, monkeypatch, mode):
    monkeypatch.setenv("FRED_API_KEY", KEY)
    whole = open_store(tmp_path / "whole", create=True)
    fetch_until(whole, series=["SPREAD"])
    store = open_store(tmp_path / "store", create=True)
    replay.faults = [Fault(mode, "SPREAD")]
    fetch_until(store, series=["SPREAD"])
    assert each_row_is_in(stored(store), stored(whole))
    fetch_until(store, series=["SPREAD"])
    assert same(stored(store), stored(whole))


@pytest.mark.parametrize("mode", MODES)
def test_faults_of_yahoos_crumb_do_not_matter(tmp_path, replay, fetch_until, mode):
    replay.faults = [Fault(mode, "getcrumb", times=2)]
    store = open_store(tmp_path / "store", create=True)
    assert fetch_until(store, series=["FUND"], pace=pace_for(mode)).failed == ()
    assert replay.requests("getcrumb")


def test_a_truncated_history_is_said_loudly_and_deletes_nothing(replay, fetch_until, before_and_after):
    old, before, after = before_and_after
    replay.faults = [Fault("three_years", times=ALWAYS)]
    report = fetch_until(old, refresh=True)
    loud = [note for note in report.notes if "TRUNCATED" in note]
    assert [note.split(":")[0] for note in loud] == ["FUND", "COIN-USD", "FEAR", "SPREAD", "JOBLESS"]
    assert "earlier rows that are held, from 2019-01-02 on; they stay" in loud[0]
    assert lacks_none_of(stored(old), before)
    assert same(stored(old), after)
