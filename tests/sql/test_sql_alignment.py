"""The rules by which the panel aligns series: each test fails without its rule."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import sql
from parquet_store import Universe, sessions
from tests.sql.small_store import LATER, SEEN, UNIVERSE, add, day, macro_rows, new_store, price_rows

NEW_YORK = ZoneInfo("America/New_York")


def with_sessions(tmp_path, first: str, last: str):
    """Return a store in which SPY has a price on every session of a range."""
    store = new_store(tmp_path)
    days = sessions(day(first), day(last))["date"]
    add(store, "prices", price_rows("SPY", {str(each): 100.0 for each in days}))
    return store


def aligned(store, series: str, **options) -> Mapping[str, float | None]:
    """Return a series on every session: ISO date to value."""
    rows = sql.query(
        store, "SELECT date, value FROM panel_long WHERE series = $1 ORDER BY date", params=[series], **options
    )
    return {str(date): value for date, value in rows.iter_rows()}


def known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {date: value for date, value in values.items() if value is not None}


def test_the_panel_has_a_row_for_every_session_and_no_other_day(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-02": 1.0, "2024-07-09": 2.0}))
    add(store, "prices", price_rows("BTC-USD", {"2024-06-01": 1.0, "2024-08-01": 2.0}))
    add(store, "macro", macro_rows("DGS10", {"2024-06-03": 4.0}))
    expected = ["2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08", "2024-07-09"]
    assert [str(each) for each in sql.query(store, "FROM panel")["date"]] == expected
    assert [str(each) for each in sql.query(store, "FROM sessions")["date"]] == expected


def test_a_price_is_never_filled(tmp_path):
    store = with_sessions(tmp_path, "2024-07-01", "2024-07-05")
    add(store, "prices", price_rows("XLF", {"2024-07-01": 10.0, "2024-07-03": 11.0}))
    assert aligned(store, "XLF") == {"2024-07-01": 10.0, "2024-07-02": None, "2024-07-03": 11.0, "2024-07-05": None}


def test_vix_rows_on_exchange_holidays_are_dropped(tmp_path):
    store = with_sessions(tmp_path, "2024-07-03", "2024-07-05")
    add(store, "prices", price_rows("VIX", {"2024-07-03": 12.0, "2024-07-04": 13.0, "2024-07-05": 14.0}))
    assert aligned(store, "VIX") == {"2024-07-03": 12.0, "2024-07-05": 14.0}
    assert sql.query(store, "FROM panel").height == 2


def test_a_vix_row_on_a_holiday_does_not_stand_in_for_the_next_session(tmp_path):
    store = with_sessions(tmp_path, "2024-07-03", "2024-07-05")
    add(store, "prices", price_rows("VIX", {"2024-07-03": 12.0, "2024-07-04": 13.0}))
    assert aligned(store, "VIX") == {"2024-07-03": 12.0, "2024-07-05": None}


def test_a_price_not_known_at_the_close_is_not_shown(tmp_path):
    store = with_sessions(tmp_path, "2024-07-01", "2024-07-02")
    late = price_rows("FUND", {"2024-07-01": 10.0}).with_columns(pl.col("known_at") + timedelta(hours=1))
    add(store, "prices", late)
    assert known(aligned(store, "FUND")) == {}


def test_btc_shows_the_bar_that_closed_before_new_york(tmp_path):
    store = with_sessions(tmp_path, "2024-07-05", "2024-07-09")
    bars = {"2024-07-04": 4.0, "2024-07-05": 5.0, "2024-07-06": 6.0, "2024-07-07": 7.0, "2024-07-08": 8.0}
    add(store, "prices", price_rows("BTC-USD", bars))
    assert aligned(store, "BTC-USD") == {"2024-07-05": 4.0, "2024-07-08": 7.0, "2024-07-09": 8.0}


def test_btc_is_at_most_seven_days_old(tmp_path):
    store = with_sessions(tmp_path, "2024-07-08", "2024-07-19")
    add(store, "prices", price_rows("BTC-USD", {"2024-07-07": 7.0}))
    assert list(known(aligned(store, "BTC-USD"))) == [
        "2024-07-08", "2024-07-09", "2024-07-10", "2024-07-11", "2024-07-12",
    ]  # fmt: skip


def test_a_daily_rate_is_shown_from_the_next_session_on(tmp_path):
    store = with_sessions(tmp_path, "2024-07-01", "2024-07-05")
    add(store, "macro", macro_rows("BAMLH0A0HYM2", {"2024-07-01": 3.1, "2024-07-02": 3.2, "2024-07-03": 3.3}))
    assert aligned(store, "BAMLH0A0HYM2") == {
        "2024-07-01": None, "2024-07-02": 3.1, "2024-07-03": 3.2, "2024-07-05": 3.3,
    }  # fmt: skip


def test_a_daily_series_is_carried_to_the_end_of_its_week_only(tmp_path):
    store = with_sessions(tmp_path, "2024-06-28", "2024-07-12")
    add(store, "macro", macro_rows("DGS10", {"2024-06-28": 4.0}))
    assert known(aligned(store, "DGS10")) == {
        "2024-07-01": 4.0, "2024-07-02": 4.0, "2024-07-03": 4.0, "2024-07-05": 4.0,
    }  # fmt: skip


def test_the_week_is_that_of_the_day_on_which_the_value_became_known(tmp_path):
    store = with_sessions(tmp_path, "2024-07-05", "2024-07-12")
    friday_evening = macro_rows("DGS10", {"2024-07-05": 4.0}).with_columns(
        known_at=pl.lit(datetime(2024, 7, 6, 1, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    )
    add(store, "macro", friday_evening)
    assert known(aligned(store, "DGS10")) == {}


@pytest.mark.parametrize(("hour", "shown"), [(3, {}), (4, {"2024-07-08": 4.0, "2024-07-09": 4.0})])
def test_a_week_begins_at_midnight_in_new_york(tmp_path, hour, shown):
    store = with_sessions(tmp_path, "2024-07-05", "2024-07-09")
    moment = datetime(2024, 7, 8, hour, 30, tzinfo=UTC)
    rows = macro_rows("DGS10", {"2024-07-05": 4.0}).with_columns(known_at=pl.lit(moment).cast(pl.Datetime("us", "UTC")))
    add(store, "macro", rows)
    assert known(aligned(store, "DGS10")) == shown


def test_a_bond_holiday_shows_the_value_of_the_week(tmp_path):
    """Columbus Day, with the bond market closed: Friday's value is known on Monday and still stands on Tuesday."""
    store = with_sessions(tmp_path, "2024-10-11", "2024-10-16")
    add(store, "macro", macro_rows("DGS10", {"2024-10-10": 4.0, "2024-10-11": 4.1, "2024-10-15": 4.2}))
    assert aligned(store, "DGS10") == {
        "2024-10-11": 4.0, "2024-10-14": 4.1, "2024-10-15": 4.1, "2024-10-16": 4.2,
    }  # fmt: skip


def test_month_end_rows_at_weekends_are_dropped(tmp_path):
    store = with_sessions(tmp_path, "2024-06-28", "2024-07-02")
    add(store, "macro", macro_rows("BAMLH0A0HYM2", {"2024-06-28": 3.0, "2024-06-30": 9.0}))
    assert known(aligned(store, "BAMLH0A0HYM2")) == {"2024-07-01": 3.0, "2024-07-02": 3.0}


def test_a_month_dated_at_a_weekend_is_kept(tmp_path):
    store = with_sessions(tmp_path, "2024-06-27", "2024-07-01")
    assert day("2024-06-01").isoweekday() == 6
    add(store, "macro", macro_rows("BAA", {"2024-06-01": 5.8}))
    assert known(aligned(store, "BAA")) == {"2024-06-28": 5.8, "2024-07-01": 5.8}


def test_of_rows_known_at_one_moment_the_last_by_date_counts(tmp_path):
    """The exchange is closed on 2025-01-09, the bond market is open: two dates become known on the 10th."""
    store = with_sessions(tmp_path, "2025-01-08", "2025-01-10")
    add(store, "macro", macro_rows("DGS10", {"2025-01-09": 4.9, "2025-01-08": 4.8}), datetime(2025, 2, 1, tzinfo=UTC))
    assert known(aligned(store, "DGS10")) == {"2025-01-10": 4.9}


def test_a_month_is_known_when_it_is_published(tmp_path):
    store = with_sessions(tmp_path, "2024-06-24", "2024-08-05")
    add(store, "macro", macro_rows("UNRATE", {"2024-05-01": 4.0, "2024-06-01": 4.1}))
    add(store, "macro", macro_rows("BAA", {"2024-06-01": 5.8}))
    unemployment, yields = aligned(store, "UNRATE"), aligned(store, "BAA")
    assert (unemployment["2024-07-03"], unemployment["2024-07-05"]) == (4.0, 4.1)
    assert (yields["2024-06-27"], yields["2024-06-28"]) == (None, 5.8)


def test_a_series_that_is_not_carried_stands_on_the_day_on_which_it_became_known(tmp_path):
    store = with_sessions(tmp_path, "2024-07-01", "2024-07-03")
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}))
    uncarried = Universe(series=(UNIVERSE["SPY"], UNIVERSE["DGS10"].model_copy(update={"carry": "none"})))
    with sql.connect(store, universe=uncarried) as connection:
        rows = sql.query(connection, "SELECT date, DGS10 FROM panel WHERE DGS10 IS NOT NULL").rows()
    assert rows == [(date(2024, 7, 2), 4.0)]


def test_a_month_is_carried_35_days(tmp_path):
    store = with_sessions(tmp_path, "2024-06-28", "2024-08-30")
    add(store, "macro", macro_rows("BAA", {"2024-06-01": 5.8}))
    assert max(known(aligned(store, "BAA"))) == "2024-08-02"


def test_as_of_a_moment_only_what_was_seen_and_over_is_shown(tmp_path):
    store = with_sessions(tmp_path, "2024-07-01", "2024-07-05")
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}))
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 5.0}), LATER)
    assert aligned(store, "DGS10")["2024-07-02"] == 5.0
    assert aligned(store, "DGS10", as_of=SEEN)["2024-07-02"] == 4.0
    as_of = sql.query(store, "SELECT date, DGS10 FROM panel_as_of($1)", params=[SEEN])
    assert as_of.rows() == sql.query(store, "SELECT date, DGS10 FROM panel", as_of=SEEN).rows()
    assert sql.query(store, "FROM panel", as_of=datetime(2024, 7, 3, tzinfo=UTC)).is_empty()


def test_a_session_that_is_not_over_is_not_shown(tmp_path):
    store = new_store(tmp_path)
    early = datetime(2024, 7, 2, 19, 59, tzinfo=UTC)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}), early)
    assert sql.query(store, "FROM panel", as_of=early).height == 1
    assert sql.query(store, "FROM panel_as_of($1)", params=[early]).height == 1
    assert sql.query(store, "FROM panel", as_of=early + timedelta(minutes=1)).height == 2


def last_known(rows: pl.DataFrame, close_at: datetime, oldest: datetime, *, weekends: bool) -> float | None:
    """Return the value of the last row by date that was known at a close, if it is not too old."""
    past = [
        (row["date"], row["known_at"], row["value"])
        for row in rows.iter_rows(named=True)
        if row["known_at"] <= close_at and (weekends or row["date"].isoweekday() <= 5)
    ]
    if not past or max(past)[1] < oldest:
        return None
    return max(past)[2]


@pytest.mark.parametrize("name", ["DGS10", "UNRATE", "BAMLH0A0HYM2"])
def test_the_panel_agrees_with_a_search_day_by_day(tmp_path, name):
    """Rows at random, some revised to be known later than rows of later dates."""
    store = with_sessions(tmp_path, "2023-11-01", "2024-03-28")
    days = pl.date_range(date(2023, 11, 1), date(2024, 3, 20), eager=True)
    rows = macro_rows(name, {str(each): float(number) for number, each in enumerate(days.sample(60, seed=3).sort())})
    delay = pl.when(pl.col("value") % 7 == 0).then(pl.duration(days=9)).otherwise(pl.duration(days=0))
    rows = rows.with_columns(pl.col("known_at") + delay)
    add(store, "macro", rows)
    spec = UNIVERSE[name]
    expected = {}
    for session, close_at in sessions(date(2023, 11, 1), date(2024, 3, 28)).iter_rows():
        this_monday = datetime.combine(session - timedelta(days=session.weekday()), time(), NEW_YORK)
        oldest = this_monday if spec.carry == "week" else close_at - timedelta(days=35)
        expected[str(session)] = last_known(rows, close_at, oldest, weekends=spec.calendar == "monthly")
    assert aligned(store, name) == expected
    assert len(known(expected)) > 20


def test_the_wide_panel_holds_what_the_long_one_holds(tmp_path):
    store = with_sessions(tmp_path, "2024-06-24", "2024-07-12")
    add(store, "macro", macro_rows("DGS10", {"2024-06-28": 4.0}))
    add(store, "prices", price_rows("BTC-USD", {"2024-07-07": 7.0}))
    wide = sql.query(store, "FROM panel")
    long = sql.query(store, "FROM panel_long")
    assert wide.columns == ["date", "SPY", "BTC-USD", "DGS10"]
    again = long.pivot("series", index="date", values="value").sort("date").select(wide.columns)
    assert wide.rows() == again.rows()
