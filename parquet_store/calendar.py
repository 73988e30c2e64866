"""Sessions of the New York Stock Exchange, and the moment at which a dated value could be known."""

from datetime import date, time, timedelta
from functools import lru_cache

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.schema import MOMENT
from parquet_store.universe import SeriesSpec

__all__ = ["EARLIEST", "NEW_YORK", "known_at", "sessions"]

NEW_YORK = "America/New_York"
CLOSE = time(16, 0)

EARLIEST = date(1915, 1, 1)
"""The first date of the session calendar, after the closure of 1914. It is exact from 1971 on; the Saturday sessions
before 1952 are left out."""

_ARRIVAL = timedelta(days=14)


def sessions(first: date, last: date) -> pl.DataFrame:
    """Return the sessions of the New York Stock Exchange from `first` to `last`, both included.

    A session's close is taken as 16:00 in New York on half days too: no value is then taken for known before it was.

    Returns
    -------
    polars.DataFrame
        ``date`` (Date) and ``close_at`` (UTC, microseconds), ascending.

    Raises
    ------
    StoreError
        If `first` lies before `EARLIEST`.
    """
    _refuse_before_the_calendar(first)
    days = _session_days(first.year, max(first, last).year)
    chosen = days.filter((days >= first) & (days <= last))
    return pl.DataFrame({"date": chosen, "close_at": _in_new_york(chosen, CLOSE)})


def known_at(spec: SeriesSpec, dates: pl.Series) -> pl.Series:
    """Return the moment from which a value of `spec` dated each of `dates` could be known.

    Parameters
    ----------
    spec
        The series, whose `known` names the rule.
    dates
        Days (Date), in any order, without nulls.

    Returns
    -------
    polars.Series
        ``known_at`` (UTC, microseconds), as long as `dates`.

    Raises
    ------
    StoreError
        If a date lies before `EARLIEST`.
    """
    if dates.is_empty():
        return pl.Series("known_at", [], dtype=MOMENT)
    _refuse_before_the_calendar(dates.min())
    match spec.known:
        case "session_close":
            moments = _in_new_york(dates, CLOSE)
        case "next_session_morning":
            moments = _in_new_york(_session_from(dates.dt.offset_by("1d")), time(9, 0))
        case "month_end":
            moments = _in_new_york(_last_session_of_month(dates), CLOSE)
        case "first_friday_next_month":
            moments = _in_new_york(_first_friday_after(dates.dt.month_end()), time(8, 30))
        case "next_midnight_utc":
            moments = dates.dt.offset_by("1d").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return moments.rename("known_at")


def _refuse_before_the_calendar(day: object) -> None:
    if isinstance(day, date) and day < EARLIEST:
        msg = f"the session calendar begins on {EARLIEST}; {day} is before that"
        raise StoreError(msg)


def _in_new_york(days: pl.Series, at: time) -> pl.Series:
    local = days.cast(pl.Datetime("us")) + timedelta(hours=at.hour, minutes=at.minute)
    return local.dt.replace_time_zone(NEW_YORK).dt.convert_time_zone("UTC").alias("close_at")


def _session_from(days: pl.Series) -> pl.Series:
    """Return the first session on or after each day."""
    calendar = _sessions_around(days)
    return calendar.gather(calendar.search_sorted(days, side="left"))


def _last_session_of_month(days: pl.Series) -> pl.Series:
    ends = days.dt.month_end()
    calendar = _sessions_around(ends)
    return calendar.gather(calendar.search_sorted(ends, side="right").cast(pl.Int64) - 1)


def _first_friday_after(month_ends: pl.Series) -> pl.Series:
    days_to_friday = (4 - month_ends.dt.weekday().cast(pl.Int64)) % 7 + 1
    return (month_ends.cast(pl.Int32) + days_to_friday).cast(pl.Date)


def _sessions_around(days: pl.Series) -> pl.Series:
    earliest, latest = days.min(), days.max()
    assert isinstance(earliest, date)  # noqa: S101 - a Date column without nulls, which the type checker cannot know
    assert isinstance(latest, date)  # noqa: S101
    return sessions(max(earliest - _ARRIVAL, EARLIEST), latest + _ARRIVAL)["date"]


@lru_cache(maxsize=8)
def _session_days(first_year: int, last_year: int) -> pl.Series:
    # The class itself: looking it up by its name takes the library half as long again.
    from holidays.financial.ny_stock_exchange import NYSE  # noqa: PLC0415 - most commands need no calendar

    closed = pl.Series(NYSE(years=range(first_year, last_year + 1)).keys(), dtype=pl.Date)
    days = pl.date_range(date(first_year, 1, 1), date(last_year, 12, 31), eager=True).alias("date")
    return days.filter((days.dt.weekday() <= 5) & ~days.is_in(closed.implode()))
