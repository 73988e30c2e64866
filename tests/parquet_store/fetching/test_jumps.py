"""Jumps are held until a second answer or the next day confirms them; real falls of a market come in."""

import json
from datetime import date

import polars as pl
import pytest

from parquet_store import open_store, scan
from parquet_store.fetching.held import empty_rows
from parquet_store.fetching.jumps import DEVIATIONS, jumps
from tests.parquet_store.fetching.made_up_market import LAST, days_before, universe
from tests.real_data import REAL_DATA, needs_real_data


@pytest.fixture
def store(tmp_path, replay, fetch_until):
    replay.until = days_before(LAST, 3)
    opened = open_store(tmp_path / "store", create=True)
    fetch_until(opened, series=["SPREAD"])
    return opened


def change(replay, day, value: float) -> None:
    replay.market.values["SPREAD"] = [(d, value if d == day else v) for d, v in replay.market.values["SPREAD"]]


def held(store) -> dict:
    return dict(scan(store, "macro").select("date", "value").collect().rows())


def quarantined(store) -> pl.DataFrame:
    return scan(store, "quarantine").collect()


def test_a_jump_on_the_last_day_waits_for_a_second_answer(store, replay, fetch_until):
    day = days_before(LAST, 2)
    change(replay, day, 9.0)
    replay.until = day
    report = fetch_until(store, series=["SPREAD"])
    assert report.series.select("state", "new", "waiting").row(0) == ("ok", 0, 1)
    assert day not in held(store)
    row = quarantined(store).row(0, named=True)
    assert (row["series"], row["date"], row["status"]) == ("SPREAD", day, "held")
    assert row["reason"].startswith("jump: 9.0 after 4.")
    assert row["reason"].endswith(f"more than {DEVIATIONS:g} deviations")
    assert json.loads(row["row"])["value"] == 9.0
    fetch_until(store, series=["SPREAD"])
    assert held(store)[day] == 9.0
    assert quarantined(store).select("status", "reason").row(0) == (
        "released",
        "confirmed: a second answer gave the same value",
    )


def test_a_jump_that_the_next_day_confirms_comes_in_at_once(store, replay, fetch_until):
    for back in (1, 0):
        change(replay, days_before(LAST, back), 9.0 + 0.01 * back)
    replay.until = LAST
    report = fetch_until(store, series=["SPREAD"])
    assert report.series.select("new", "waiting").row(0) == (3, 0)


def test_a_spike_that_is_gone_the_next_day_never_comes_in(store, replay, fetch_until):
    day = days_before(LAST, 1)
    true = dict(replay.market.values["SPREAD"])[day]
    change(replay, day, 40.0 - 1e-9)
    replay.until = LAST
    assert fetch_until(store, series=["SPREAD"]).series["waiting"].to_list() == [1]
    change(replay, day, true)
    fetch_until(store, series=["SPREAD"])
    assert held(store) == dict(replay.market.values["SPREAD"])
    assert quarantined(store)["status"].to_list() == ["held"]


def test_a_large_change_of_a_held_value_waits_too(store, replay, fetch_until):
    day = days_before(LAST, 5)
    true = held(store)[day]
    change(replay, day, 8.0)
    report = fetch_until(store, series=["SPREAD"])
    assert report.series["waiting"].to_list() == [1]
    assert held(store)[day] == true
    assert f"jump: 8.0 after {true}" in quarantined(store)["reason"][0]
    fetch_until(store, series=["SPREAD"])
    assert held(store)[day] == 8.0


def test_the_same_bad_row_is_quarantined_once(store, replay, fetch_until):
    day = days_before(LAST, 1)
    change(replay, day, 99.0)  # beyond what is plausible, so that no second answer confirms it
    replay.until = LAST
    for _ in range(3):
        assert fetch_until(store, series=["SPREAD"]).series["waiting"].to_list() == [1]
    assert quarantined(store)["reason"].to_list() == ["the value is outside 0.5 to 40"]
    assert day not in held(store)


def test_days_that_wait_are_asked_for_again_however_old(store, replay, fetch_until):
    old = days_before(LAST, 400)
    true = dict(replay.market.values["SPREAD"])[old]
    change(replay, old, 20.0)
    assert fetch_until(store, series=["SPREAD"], refresh=True).series["waiting"].to_list() == [1]
    replay.log.clear()
    fetch_until(store, series=["SPREAD"])
    assert f"cosd={old}" in replay.log[0]
    assert held(store)[old] == 20.0 != true


def test_an_old_cell_that_could_not_be_read_is_asked_for_again(tmp_path, replay, fetch_until):
    old = days_before(LAST, 700)
    true = dict(replay.market.values["SPREAD"])[old]
    change(replay, old, "n/a?")
    fresh = open_store(tmp_path / "fresh", create=True)
    fetch_until(fresh, series=["SPREAD"])
    assert old not in held(fresh)
    change(replay, old, true)
    fetch_until(fresh, series=["SPREAD"])
    assert held(fresh)[old] == true


@needs_real_data
@pytest.mark.real_data
def test_real_histories_hold_no_jump():
    """Judge whole histories as a first fetch does: the great falls of 2008 and 2020 come in at once."""
    from parquet_store import load_universe

    prices = pl.read_parquet(REAL_DATA / "prices_daily.parquet").select("symbol", "date", "close")
    macro = pl.read_parquet(REAL_DATA / "macro_daily.parquet").select("series_id", "date", "value")
    for spec in load_universe().series:
        rows = prices.filter(symbol=spec.name) if spec.kind == "price" else macro.filter(series_id=spec.name)
        assert jumps(spec, rows.drop_nulls().sort("date"), empty_rows(spec.table)).is_empty(), spec.name


def test_what_has_few_moves_is_not_measured():
    spec = universe()["SPREAD"]
    rows = pl.DataFrame({"date": [date(2024, 1, day) for day in range(1, 31)], "value": [1.0] * 29 + [900.0]})
    assert jumps(spec, rows, empty_rows("macro")).is_empty()
