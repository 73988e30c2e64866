"""Weeks of the session calendar: weekly closes of a panel, and what follows from them carried to its sessions.

Which session is the last of its week comes from the calendar of the exchange, never from the rows that follow. A series
with the suffix `NEXT_MORNING` may be read here although its last value is published on the morning after the week's
last session: by then it is known that this session was the last, and the trade is at the close of the day.
"""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from parquet_store.calendar import sessions

__all__ = ["carry_weekly", "last_of_week", "weekly_values"]

Floats = NDArray[np.float64]


def last_of_week(panel: Panel) -> NDArray[np.bool_]:
    """Tell which rows of a panel are the last session of their week, bool (rows,)."""
    days = panel.dates
    return np.isin(days, _last_sessions(days[0].item(), days[-1].item()))


def weekly_values(panel: Panel, values: Floats) -> Floats:
    """Last known value among the sessions of each finished week.

    Parameters
    ----------
    values
        One value a row of the panel.

    Returns
    -------
    float64 (finished weeks,), NaN for a week without any value: nothing is carried from one week to the next. The
    panel's first week may have begun before it; a last week that is not over is left out.
    """
    ends = np.flatnonzero(last_of_week(panel))
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    latest = np.maximum.accumulate(known)[ends]
    begins = np.concatenate(([0], ends[:-1] + 1))
    return np.where(latest >= begins, values[latest], np.nan)


def carry_weekly(panel: Panel, weekly: Floats) -> Floats:
    """Value of the latest finished week in each row of the panel; NaN before the first.

    A week is finished in the row of its last session.
    """
    carried: Floats = np.concatenate(([np.nan], weekly))[np.cumsum(last_of_week(panel))]
    return carried


@lru_cache(maxsize=32)
def _last_sessions(first: date, last: date) -> NDArray[np.datetime64]:
    """Last sessions of the weeks from `first` to `last`."""
    days = sessions(first, last + timedelta(weeks=2))["date"].to_numpy().astype("datetime64[D]")
    weeks = (days.astype(np.int64) + 3) // 7  # from Monday to Sunday: 1970-01-01 was a Thursday
    ends: NDArray[np.datetime64] = days[:-1][np.diff(weeks) > 0]
    return ends
