"""Whether a claim still stands: the rolling mean of what it earns over its benchmark, and its Sharpe ratio after costs.

Source: credit spreads monitor, backtest notes: a rule is broken if the rolling five-year mean excess return flips sign
and the net-of-cost Sharpe ratio is not positive.

The document leaves two things open. *Flips sign* is read against the claim: the mean is below 0 although the claim says
that it is above, whether it was ever above or not. *The Sharpe ratio* is that of the same five years, so that each
session has a verdict that was known at its close, and a claim that is broken is so since a day.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.metrics import SESSIONS_A_YEAR
from kernels import rolling_mean, rolling_std

__all__ = ["FEWEST_ENTRIES", "Falsification", "Verdict", "falsify"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Verdict = Literal["standing", "broken", "not enough data"]

FEWEST_ENTRIES = 5
"""Positions that must have been taken before a window says anything."""

STILL = 1e-15
"""A deviation up to this is that of a position that was never held: rounding."""


@dataclass(frozen=True)
class Falsification:
    """How a claim fares. Means are a year, Sharpe ratios annualised; None where there are none.

    Attributes
    ----------
    verdict
        At the last session.
    since
        First session of the spell that goes on, if it is broken.
    sessions, entries
        Length of the history, and positions taken in it.
    mean_excess, sharpe
        Over the whole history.
    rolling_mean_excess, rolling_sharpe
        Over the window that ends with each session, float64 (sessions,); NaN before the first full window, while fewer
        than `FEWEST_ENTRIES` positions have been taken, and where none was held in the window.
    sign_changes
        Sessions on which the rolling mean changes its sign.
    broken
        Sessions on which the claim is broken, bool (sessions,).
    """

    verdict: Verdict
    since: date | None
    sessions: int
    entries: int
    mean_excess: float | None
    sharpe: float | None
    rolling_mean_excess: Floats
    rolling_sharpe: Floats
    sign_changes: tuple[date, ...]
    broken: Flags


def falsify(
    excess: Floats, net: Floats, entries: Flags, dates: NDArray[np.datetime64], *, window: int = 5 * SESSIONS_A_YEAR
) -> Falsification:
    """Put a claim to the test.

    Parameters
    ----------
    excess
        Daily return over the benchmark, net of costs, float64 (sessions,), no NaN; signed so that the claim says that
        its mean is above 0.
    net
        Daily return over cash of the position that the claim calls for, net of costs, likewise.
    entries
        Sessions at whose close a position is taken, bool (sessions,).
    dates
        Sessions, ``datetime64[D]``.
    window
        In sessions.

    Returns
    -------
    The verdict. It is "not enough data" unless the last session has a full window with a position in it, and enough
    entries behind it.

    Raises
    ------
    ValueError
        The arrays differ in length.
    """
    if len({len(excess), len(net), len(entries), len(dates)}) > 1:
        message = f"arrays of one length: {len(excess)}, {len(net)}, {len(entries)}, {len(dates)}"
        raise ValueError(message)
    deviation = rolling_std(net, window)
    tested = (np.cumsum(entries) >= FEWEST_ENTRIES) & (deviation > STILL)
    mean = np.where(tested, rolling_mean(excess, window) * SESSIONS_A_YEAR, np.nan)
    moving = np.where(tested, deviation, np.nan)
    ratio = rolling_mean(net, window) / moving * math.sqrt(SESSIONS_A_YEAR)
    broken = (mean < 0.0) & (ratio <= 0.0)
    verdict: Verdict = "standing"
    since: date | None = None
    if not len(mean) or np.isnan(mean[-1]):
        verdict = "not enough data"
    elif broken[-1]:
        whole = np.flatnonzero(~broken)
        verdict, since = "broken", dates[whole[-1] + 1 if len(whole) else 0].item()
    return Falsification(
        verdict=verdict,
        since=since,
        sessions=len(excess),
        entries=int(entries.sum()),
        mean_excess=float(excess.mean()) * SESSIONS_A_YEAR if len(excess) else None,
        sharpe=_sharpe(net),
        rolling_mean_excess=mean,
        rolling_sharpe=ratio,
        sign_changes=_sign_changes(mean, dates),
        broken=broken,
    )


def _sharpe(net: Floats) -> float | None:
    deviation = float(net.std(ddof=1)) if len(net) > 1 else 0.0
    return float(net.mean()) / deviation * math.sqrt(SESSIONS_A_YEAR) if deviation > STILL else None


def _sign_changes(mean: Floats, dates: NDArray[np.datetime64]) -> tuple[date, ...]:
    """Sessions whose sign differs from the last one that was not 0."""
    signed = np.flatnonzero(~np.isnan(mean) & (mean != 0.0))
    changes = np.flatnonzero(np.diff(np.sign(mean[signed]))) + 1
    return tuple(dates[signed[changes]].tolist())
