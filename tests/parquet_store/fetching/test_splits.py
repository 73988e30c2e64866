"""A new split: reads as of before stay exact, the new history is continuous, and nothing is scaled on a guess."""

from datetime import timedelta

import polars as pl
import pytest

from parquet_store import open_store, scan
from sql import connect
from tests.parquet_store.fetching.made_up_market import LAST, days_before
from tests.parquet_store.fetching.replay_server import rebased
from tests.parquet_store.fetching.stored import stored

EX_DATE = days_before(LAST, 3)


@pytest.fixture
def store(tmp_path, replay, fetch_until):
    """A store that has seen the fund until the day before its split."""
    replay.until = days_before(LAST, 4)
    opened = open_store(tmp_path / "store", create=True)
    fetch_until(opened, series=["FUND"])
    return opened


def traded_after_split(replay, ratio: float) -> None:
    """Let the fund split, and trade at the new price from then on."""
    replay.market.splits["FUND"] = [(EX_DATE, ratio)]
    replay.market.bars["FUND"] = [
        bar if bar[0] < EX_DATE else (bar[0], *(price / ratio for price in bar[1:5]), bar[5] * ratio)
        for bar in replay.market.bars["FUND"]
    ]


def closes(store, as_of=None) -> dict:
    return dict(scan(store, "prices", as_of=as_of).select("date", "close").collect().rows())


@pytest.mark.parametrize("ratio", [2.0, 0.1, 1.5])
def test_every_earlier_row_moves_to_the_new_base_and_the_past_stays(store, replay, fetch_until, ratio):
    before, seen = stored(store), scan(store, "prices").select(pl.col("seen_at").max()).collect().item()
    traded_after_split(replay, ratio)
    replay.until = LAST
    report = fetch_until(store, series=["FUND"])
    bars, paid = rebased(replay, "FUND")
    assert closes(store) == pytest.approx({bar[0]: bar[4] for bar in bars}, rel=1e-12)
    dividends = scan(store, "actions").filter(kind="dividend").select("date", "value").collect().rows()
    assert dict(dividends) == pytest.approx(dict(paid), rel=1e-12)
    volumes = scan(store, "prices").select("date", "volume").collect().rows()
    assert dict(volumes) == pytest.approx({bar[0]: bar[5] for bar in bars}, rel=1e-12)
    then = {table: scan(store, table, as_of=seen).drop("seen_at").collect() for table in ("prices", "actions")}
    assert all(then[table].equals(before[table]) for table in then)
    held_before = len(before["prices"].filter(pl.col("date") < EX_DATE))
    assert report.notes == (f"FUND: split {ratio:g} for 1 on {EX_DATE}: {held_before} earlier rows were rescaled",)


def test_the_panel_has_no_step_as_of_any_moment(store, replay, fetch_until):
    seen = scan(store, "prices").select(pl.col("seen_at").max()).collect().item()
    traded_after_split(replay, 4.0)
    replay.until = LAST
    fetch_until(store, series=["FUND"])
    for as_of in (seen, None):
        with connect(store, as_of=as_of) as connection:
            moves = connection.sql("SELECT ln(close / lag(close) OVER (ORDER BY date)) AS move FROM adjusted").pl()
        assert moves["move"].abs().max() < 0.1


def test_the_same_split_is_not_followed_twice(store, replay, fetch_until):
    traded_after_split(replay, 2.0)
    replay.until = LAST
    fetch_until(store, series=["FUND"])
    once = closes(store)
    report = fetch_until(store, series=["FUND"], refresh=True)
    assert closes(store) == once
    assert report.notes == ()


def test_a_split_that_what_is_held_knows_already_changes_nothing(tmp_path, replay, fetch_until):
    """History that came from a file bears its splits; their rows are new, and the prices are right as they are."""
    replay.market.splits["FUND"] = [(days_before(LAST, 500), 2.0)]
    store = open_store(tmp_path / "fresh", create=True)
    fetch_until(store, series=["FUND"], since=LAST - timedelta(days=100))
    before = closes(store)
    fetch_until(store, series=["FUND"], refresh=True)
    after = closes(store)
    assert {day: after[day] for day in before} == before
    assert scan(store, "actions").filter(kind="split").select("value").collect().rows() == [(2.0,)]


def test_rescaled_prices_without_a_split_are_refused(store, replay, fetch_until):
    before = stored(store)
    replay.until = LAST
    replay.market.bars["FUND"] = [
        (bar[0], *(price / 2 for price in bar[1:5]), bar[5]) for bar in replay.market.bars["FUND"]
    ]
    report = fetch_until(store, series=["FUND"])
    assert report.failed == ("FUND",)
    assert "the closes differ from those held by the same factor 0.5, and no split" in report.series["message"][0]
    assert all(stored(store)[table].equals(before[table]) for table in before)


def test_a_split_whose_prices_are_not_rescaled_yet_waits(store, replay, fetch_until):
    before = stored(store)
    traded_after_split(replay, 2.0)
    replay.until = LAST
    replay.market.bars["FUND"] = [
        bar if bar[0] >= EX_DATE else (bar[0], *(price * 6 for price in bar[1:5]), bar[5])
        for bar in replay.market.bars["FUND"]
    ]
    report = fetch_until(store, series=["FUND"])
    assert report.failed == ("FUND",)
    assert f"a split of 2 for 1 on {EX_DATE} is announced, and the closes before it" in report.series["message"][0]
    assert all(stored(store)[table].equals(before[table]) for table in before)


def test_a_split_that_changes_its_ratio_is_refused(store, replay, fetch_until):
    traded_after_split(replay, 2.0)
    replay.until = LAST
    fetch_until(store, series=["FUND"])
    replay.market.splits["FUND"] = [(EX_DATE, 3.0)]
    report = fetch_until(store, series=["FUND"])
    assert f"the split of {EX_DATE} is held as 2 for 1 and came as 3 for 1" in report.series["message"][0]


def test_a_new_dividend_changes_no_earlier_row(store, replay, fetch_until):
    seen = scan(store, "prices").select(pl.col("seen_at").max()).collect().item()
    replay.market.dividends["FUND"].append((days_before(LAST, 1), 0.7))
    replay.until = LAST
    with connect(store) as connection:
        before = connection.sql("SELECT date, close FROM adjusted ORDER BY date").pl()
    report = fetch_until(store, series=["FUND"])
    assert report.series["revised"].to_list() == [0]
    with connect(store) as connection:
        after = connection.sql("SELECT date, close FROM adjusted ORDER BY date").pl()
    assert after.head(before.height).equals(before)
    assert scan(store, "prices", as_of=seen).collect().height == before.height
