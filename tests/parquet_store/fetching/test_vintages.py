"""Vintages: what FRED showed in the past, split along its limits, in front of what the store has seen by itself."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from parquet_store import EngineError, open_store, scan
from parquet_store.fetching import fetch_vintages
from parquet_store.history import list_revisions
from tests.parquet_store.fetching.conftest import NO_WAITING
from tests.parquet_store.fetching.made_up_market import universe
from tests.parquet_store.fetching.replay_server import KEY, Fault

MONTHS = pl.date_range(date(2022, 1, 1), date(2022, 12, 1), interval="1mo", eager=True).to_list()


@pytest.fixture
def store(tmp_path, replay, monkeypatch):
    """An empty store; each month's value comes out five weeks later and is revised a month after that."""
    monkeypatch.setenv("FRED_API_KEY", KEY)
    shown = []
    for number, month in enumerate(MONTHS):
        out = month + timedelta(days=36)
        shown += [(month, 4.0 + number / 10, out), (month, 4.05 + number / 10, out + timedelta(days=30))]
    replay.market.shown["JOBLESS"] = shown
    replay.market.values["JOBLESS"] = [(month, 4.05 + number / 10) for number, month in enumerate(MONTHS)]
    return open_store(tmp_path / "store", create=True)


def run(store, **options):
    return fetch_vintages(store, series=["JOBLESS"], universe=universe(), pace=NO_WAITING, **options)


def as_of(store, day: date) -> dict:
    rows = scan(store, "macro", as_of=datetime(day.year, day.month, day.day, 12, tzinfo=UTC)).collect()
    return dict(rows.select("date", "value").rows())


def shown_on(replay, day: date) -> dict:
    """Return what FRED showed at the end of the day before."""
    return {month: value for month, value, out in replay.market.shown["JOBLESS"] if out < day}


def test_a_read_as_of_a_past_day_gives_what_was_shown_then(store, replay):
    report = run(store)
    assert report.select("series", "state", "values", "revisions").row(0) == ("JOBLESS", "ok", 24, 12)
    for day in pl.date_range(date(2022, 1, 15), date(2023, 3, 15), interval="9d", eager=True):
        assert as_of(store, day) == pytest.approx(shown_on(replay, day))


@pytest.mark.parametrize(("vintages", "rows"), [(1, 100_000), (3, 100_000), (5, 2), (2000, 7)])
def test_questions_are_split_along_the_limits(tmp_path, store, replay, monkeypatch, vintages, rows):
    run(store)
    monkeypatch.setattr("parquet_store.sources.fred_vintages._VINTAGES_A_QUESTION", vintages)
    monkeypatch.setattr("parquet_store.sources.fred_vintages._ROWS_A_PAGE", rows)
    replay.vintages_a_question, replay.rows_a_page = vintages, rows
    other = open_store(tmp_path / "other", create=True)
    replay.log.clear()
    run(other)
    assert len(replay.requests("realtime_start")) > 1
    assert scan(other, "macro").collect().equals(scan(store, "macro").collect())
    assert list_revisions(other, "JOBLESS", universe=universe()).height == 12
    replay.vintages_a_question, replay.rows_a_page = 2000, 100_000


def test_what_the_store_has_seen_by_itself_stays(store, replay, fetch_until):
    replay.until = date(2022, 9, 10)
    fetch_until(store, series=["JOBLESS"])
    seen = scan(store, "macro").select(pl.col("seen_at").max()).collect().item()
    before = scan(store, "macro", as_of=seen).collect()
    run(store)
    assert scan(store, "macro", as_of=seen).collect().equals(before)
    assert as_of(store, date(2022, 6, 1)) == pytest.approx(shown_on(replay, date(2022, 6, 1)))


def test_a_second_run_writes_nothing(store):
    run(store)
    again = run(store)
    assert again["values"].to_list() == [0]
    assert again["message"][0].startswith("the store has seen the series since 2022-02-07")


def test_a_vintage_that_cannot_be_true_goes_to_the_quarantine(store, replay):
    month = MONTHS[3]
    replay.market.shown["JOBLESS"].append((month, 400.0, month + timedelta(days=50)))
    report = run(store)
    assert report.select("values", "message").row(0) == (24, "1 vintages went to the quarantine")
    held = scan(store, "quarantine").collect()
    assert held.select("series", "date", "reason").rows() == [("JOBLESS", month, "the value is outside 0.5 to 40")]
    assert run(store)["message"][0].endswith("quarantine") is False
    assert scan(store, "quarantine").collect().height == 1


def test_a_later_fetch_finds_nothing_new(store, fetch_until):
    run(store)
    report = fetch_until(store, series=["JOBLESS"])
    assert report.series.select("new", "revised").row(0) == (0, 0)


def test_without_a_key_or_with_a_fault_the_series_fails(store, replay, monkeypatch):
    replay.faults = [Fault("html", "realtime_start")]
    assert run(store).select("state", "values").row(0) == ("failed", 0)
    monkeypatch.delenv("FRED_API_KEY")
    assert "vintages need a key of the FRED API" in run(store)["message"][0]
    assert scan(store, "macro").collect().is_empty()


def test_a_source_without_vintages_is_named(store):
    with pytest.raises(EngineError, match="the source of FUND does not tell what it showed in the past"):
        fetch_vintages(store, series=["FUND"], universe=universe())
