"""When a state or an event earns what: the documents' conventions and the tradable ones, each written once.

*As published.* The documents read returns in ways that nobody could have traded; they are here under their own names,
so that a published figure can be reproduced, and for nothing else.

*Tradable.* What is known at close t is traded at close t+1 and earns from then on. Row t of a result is what the state
or event of row t owns: nothing has to be shifted by who uses it. It is NaN where the horizon is not complete.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ONE_MONTH",
    "THREE_MONTHS",
    "calendar_days_on",
    "close_to_close",
    "same_day",
    "traded_calendar_days",
    "traded_day",
    "traded_forward",
    "traded_week",
    "values_on",
    "week_after",
    "window_from_signal_day",
]

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

ONE_MONTH = 21
THREE_MONTHS = 63


def same_day(closes: Floats) -> Floats:
    """As published: the return of day t, close t-1 to close t, for a state that is only known at close t."""
    return _ratio(closes, -1, 0)


def window_from_signal_day(returns: Floats, rows: int, least: int) -> Floats:
    """As published: the returns of `rows` rows compounded, beginning with the return of the signal's own row t.

    Parameters
    ----------
    returns
        Simple returns, float64 (rows,), NaN where there is none.
    rows
        Length of the window, row t included.
    least
        Returns that must be present; windows that reach beyond the end are cut short there.
    """
    present = ~np.isnan(returns)
    wealth = np.concatenate(([1.0], np.cumprod(np.where(present, 1.0 + returns, 1.0))))
    count = np.concatenate(([0], np.cumsum(present)))
    begin = np.arange(len(returns))
    end = np.minimum(begin + rows, len(returns))
    return np.where(count[end] - count[begin] >= least, wealth[end] / wealth[begin] - 1.0, np.nan)


def close_to_close(closes: Floats, rows: int) -> Floats:
    """As published: close t to close t+rows, as if one could buy at the close that gives the signal."""
    return _ratio(closes, 0, rows)


def calendar_days_on(dates: Days, closes: Floats, days: int) -> Floats:
    """As published: close t to the last close at most `days` calendar days later; NaN where they end after the data."""
    until = dates + np.timedelta64(days, "D")
    last = np.searchsorted(dates, until, "right") - 1
    return np.where(until <= dates[-1], closes[last] / closes - 1.0, np.nan)


def traded_day(closes: Floats) -> Floats:
    """Tradable: the return of day t+2, from close t+1 to close t+2, which a state known at close t owns."""
    return _ratio(closes, 1, 2)


def traded_forward(closes: Floats, horizon: int) -> Floats:
    """Tradable: close t+1 to close t+1+horizon, rows of `closes`."""
    return _ratio(closes, 1, 1 + horizon)


def traded_calendar_days(signals: Days, days: Days, closes: Floats, horizon: int) -> Floats:
    """Tradable, on a calendar of seven days: from the bar of the day after the signal's to the one `horizon` days on.

    Parameters
    ----------
    signals
        Days of the signals, any days.
    days, closes
        Bars on the asset's own calendar, ascending.
    horizon
        Calendar days.

    Returns
    -------
    float64 (signals,), NaN where one of the two bars is missing.
    """
    one = np.timedelta64(1, "D")
    entry, leave = (values_on(days, closes, signals + one * (1 + ahead)) for ahead in (0, horizon))
    return leave / entry - 1.0


def week_after(dates: Days, closes: Floats) -> tuple[Days, Floats]:
    """As published: what the state of week w earns in week w+1, from the last close of w to the last close of w+1.

    Parameters
    ----------
    dates, closes
        Sessions, ascending.

    Returns
    -------
    fridays, returns
        One row for each week with a session, labelled by its Friday.
    """
    fridays, _first, last = _weeks(dates)
    return fridays, _ratio(closes[last], 0, 1)


def traded_week(dates: Days, closes: Floats) -> tuple[Days, Floats]:
    """Tradable: what the state of week w earns from the first close of week w+1 to the first close of week w+2.

    Friday's value of a series that is published in the morning is known before the first session of week w+1 opens.
    Arguments and result are those of `week_after`.
    """
    fridays, first, _last = _weeks(dates)
    return fridays, _ratio(closes[first], 1, 2)


def _ratio(values: Floats, bought: int, sold: int) -> Floats:
    """Return values[t+sold] / values[t+bought] - 1 in each row t, NaN where one of the two is out of the array."""
    result = np.full(len(values), np.nan)
    begin, end = max(0, -bought), len(values) - max(sold, 0)
    if begin < end:
        result[begin:end] = values[begin + sold : end + sold] / values[begin + bought : end + bought] - 1.0
    return result


def values_on(days: Days, values: Floats, wanted: Days) -> Floats:
    """Values of some days out of those of `days`, ascending; NaN where there is none."""
    if not len(days):
        return np.full(len(wanted), np.nan)
    place = np.minimum(np.searchsorted(days, wanted), len(days) - 1)
    return np.where(days[place] == wanted, values[place], np.nan)


def _weeks(dates: Days) -> tuple[Days, NDArray[np.intp], NDArray[np.intp]]:
    """Return Friday, first row and last row of each week with a session."""
    monday = dates - ((dates.astype(np.int64) + 3) % 7).astype("timedelta64[D]")  # 1970-01-01 was a Thursday
    begins = np.flatnonzero(np.concatenate(([True], monday[1:] != monday[:-1])))
    ends = np.concatenate((begins[1:], [len(dates)])) - 1
    return monday[begins] + np.timedelta64(4, "D"), begins, ends
