"""What cash earns: a three-month Treasury bill, bought at every close at the rate that is known there."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BILL_RATE", "cash_returns"]

BILL_RATE = "DTB3"
"""The bill rate: percent a year on a discount basis, of bills that run for 91 days."""

BILL_DAYS, YEAR_DAYS = 91, 360


def cash_returns(dates: NDArray[np.datetime64], rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return of cash into each session's close from that of the session before.

    A bill of discount rate d costs 1 - d/100 * 91/360 and pays 1 after 91 days; cash grows by as much a calendar day as
    the bill does, (1 - d/100 * 91/360) ** (-1/91). The rate is the last one known at the close before, however old: a
    holiday of the bond market stops no interest.

    Parameters
    ----------
    dates
        Sessions, ``datetime64[D]``, ascending.
    rate
        What was known at each close, in percent, float64 (rows,), NaN where nothing was.

    Returns
    -------
    float64 (rows,); NaN in the first row and until the session after the first known rate.
    """
    latest = np.maximum.accumulate(np.where(np.isnan(rate), -1, np.arange(len(rate))))
    carried = np.where(latest >= 0, rate[latest], np.nan)
    days = np.diff(dates).astype(np.int64)
    price = 1.0 - carried[:-1] / 100.0 * BILL_DAYS / YEAR_DAYS
    return np.concatenate(([np.nan], price ** (-days / BILL_DAYS) - 1.0))
