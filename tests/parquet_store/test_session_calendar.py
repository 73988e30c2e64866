"""Sessions against an independent calendar, and the moment at which each kind of value could be known."""

import warnings
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from parquet_store import EngineError, StoreError, known_at, load_universe, sessions
from parquet_store.calendar import EARLIEST
from parquet_store.inventory import expected_days


def test_sessions_equal_those_of_an_independent_calendar():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from exchange_calendars import get_calendar

        calendar = get_calendar("XNYS", start="1971-01-01", end="2026-12-31")
    theirs = [moment.date() for moment in calendar.sessions]
    assert sessions(date(1971, 1, 1), date(2026, 12, 31))["date"].to_list() == theirs


def test_closes_follow_daylight_saving_time():
    frame = sessions(date(2024, 3, 8), date(2024, 3, 11))
    assert frame["close_at"].to_list() == [
        datetime(2024, 3, 8, 21, tzinfo=UTC),
        datetime(2024, 3, 11, 20, tzinfo=UTC),
    ]
    assert frame.schema == {"date": pl.Date, "close_at": pl.Datetime("us", "UTC")}


def test_bounds_are_included_and_may_hold_no_session():
    assert sessions(date(2024, 1, 2), date(2024, 1, 2)).height == 1
    assert sessions(date(2024, 1, 6), date(2024, 1, 7)).is_empty()
    assert sessions(date(2024, 1, 7), date(2024, 1, 6)).is_empty()


def test_calendar_has_a_beginning():
    with pytest.raises(StoreError, match="the session calendar begins on 1915-01-01"):
        sessions(EARLIEST - timedelta(days=1), date(1915, 2, 1))


@pytest.mark.parametrize(
    ("series", "day", "expected"),
    [
        ("SPY", date(2024, 1, 12), datetime(2024, 1, 12, 21, tzinfo=UTC)),
        ("SPY", date(2024, 7, 3), datetime(2024, 7, 3, 20, tzinfo=UTC)),  # a half day counts as whole
        ("VIX", date(2024, 1, 15), datetime(2024, 1, 15, 21, tzinfo=UTC)),  # a row on a holiday of the exchange
        ("DGS10", date(2024, 1, 11), datetime(2024, 1, 12, 14, tzinfo=UTC)),
        ("DGS10", date(2024, 1, 12), datetime(2024, 1, 16, 14, tzinfo=UTC)),  # over a weekend and a holiday
        ("BAMLH0A0HYM2", date(2024, 3, 31), datetime(2024, 4, 1, 13, tzinfo=UTC)),  # a month-end Sunday
        ("BAA", date(2024, 3, 1), datetime(2024, 3, 28, 20, tzinfo=UTC)),  # Good Friday was the 29th
        ("BAA", date(2024, 2, 1), datetime(2024, 2, 29, 21, tzinfo=UTC)),
        ("UNRATE", date(2024, 1, 1), datetime(2024, 2, 2, 13, 30, tzinfo=UTC)),
        ("UNRATE", date(2024, 2, 1), datetime(2024, 3, 1, 13, 30, tzinfo=UTC)),  # the first is a Friday
        ("UNRATE", date(2024, 5, 1), datetime(2024, 6, 7, 12, 30, tzinfo=UTC)),
        ("BTC-USD", date(2024, 1, 12), datetime(2024, 1, 13, 0, tzinfo=UTC)),
    ],
)
def test_known_at(series, day, expected):
    assert known_at(load_universe()[series], pl.Series([day])).to_list() == [expected]


@pytest.mark.parametrize("spec", load_universe().series, ids=lambda spec: spec.name)
def test_nothing_is_known_before_its_day_is_over_in_new_york(spec):
    days = pl.date_range(date(1971, 1, 1), date(2026, 12, 31), eager=True)
    shuffled = days.sample(fraction=1.0, shuffle=True, seed=1)
    moments = known_at(spec, shuffled)
    assert moments.dtype == pl.Datetime("us", "UTC")
    assert moments.name == "known_at"
    # UNRATE and BAA are dated at the first of their month; a day within it is then dated in its past.
    start = shuffled.dt.month_start() if spec.calendar == "monthly" else shuffled
    assert (moments.dt.convert_time_zone("America/New_York").dt.date() >= start).all()
    assert (known_at(spec, days.head(1)) == known_at(spec, days).head(1)).all()


def test_no_dates_are_known_at_no_moments():
    assert known_at(load_universe()["DGS10"], pl.Series([], dtype=pl.Date)).len() == 0


def test_days_on_which_values_are_expected():
    first, last = date(2024, 10, 11), date(2024, 11, 12)
    bond = expected_days("bond", first, last).to_list()
    exchange = expected_days("nyse", first, last).to_list()
    assert sorted(set(exchange) - set(bond)) == [date(2024, 10, 14), date(2024, 11, 11)]
    assert expected_days("daily", first, last).len() == 33
    assert expected_days("monthly", date(2024, 10, 1), last).to_list() == [date(2024, 10, 1), date(2024, 11, 1)]


def test_rules_reach_back_to_the_calendars_beginning():
    old = pl.Series([EARLIEST, date(1919, 1, 1)])
    assert known_at(load_universe()["BAA"], old).dt.date().to_list() == [date(1915, 1, 29), date(1919, 1, 31)]
    with pytest.raises(EngineError, match="begins on"):
        known_at(load_universe()["DGS10"], pl.Series([date(1850, 1, 1), date(2024, 1, 1)]))
