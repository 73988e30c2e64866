"""Daily bars and dividends from total returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parquet_store.simulation.parameters import Bars, Listing
from parquet_store.simulation.processes import Vector, autoregression, normal_shocks, per_day

__all__ = ["DailyBars", "bars_from_returns", "dividends_paid", "ex_dates"]

_CENTS = 2
_SHARE_ROUND_LOT = 100.0
_DIVIDEND_DECIMALS = 4
_FIRST_MEMORY = 20


@dataclass(frozen=True)
class DailyBars:
    """Open, high, low, close and volume, one value a day, rounded as they are quoted."""

    open: Vector
    high: Vector
    low: Vector
    close: Vector
    volume: Vector


def bars_from_returns(
    bars: Bars, seed: int, name: str, returns: Vector, start: float, volume: float, paid: Vector | None = None
) -> DailyBars:
    """Build the bars of a series.

    Parameters
    ----------
    returns
        Total log returns of the days; the first leads from `start` to the first close.
    start
        Price before the first day.
    volume
        Typical volume in its unit; it follows the size of the day's move.
    paid
        Share of the previous close that is paid out on each day (0 where none); the price lacks it from that day on.

    Notes
    -----
    The path within a day is: a gap over night, the open, and a high and a low that enclose open and close.
    """
    size = _recent_size(bars, returns)
    total = np.log(start) + np.cumsum(returns)
    opening = (
        total
        - (1 - bars.overnight_share) * returns
        + bars.open_noise * size * normal_shocks(seed, f"{name} open", returns.size)
    )
    above, below = (
        bars.wick * size * np.abs(normal_shocks(seed, f"{name} {side}", returns.size)) for side in ("high", "low")
    )
    kept = 1.0 if paid is None else np.cumprod(1 - paid)
    return DailyBars(
        open=_quoted(np.exp(opening) * kept),
        high=_quoted(np.exp(np.maximum(opening, total) + above) * kept),
        low=_quoted(np.exp(np.minimum(opening, total) - below) * kept),
        close=_quoted(np.exp(total) * kept),
        volume=_volume(bars, seed, name, returns, size, volume),
    )


def dividends_paid(listing: Listing, seed: int, name: str, ex: NDArray[np.bool_]) -> Vector:
    """Return the share of the previous close that a fund pays on each session: its yield in parts, a little uneven."""
    uneven = 1 + 0.1 * np.tanh(normal_shocks(seed, f"{name} dividend", ex.size))
    return np.where(ex, listing.dividend / listing.payments * uneven, 0.0)


def ex_dates(listing: Listing, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return where the ex-dates of a fund lie among sessions.

    A monthly fund goes ex on the first session of each month, a quarterly one on the first from the 15th of March,
    June, September and December.
    """
    months = days.astype("datetime64[M]")
    month_of_year = months.astype(np.int64) % 12
    reached = np.ones(days.size, dtype=np.bool_)
    if listing.payments == 4:
        late = (days - months.astype("datetime64[D]")).astype(np.int64) >= 14
        reached = (month_of_year % 3 == 2) & late
    first = np.ones(days.size, dtype=np.bool_)
    first[1:] = ~reached[:-1] | (months[1:] != months[:-1])
    first[0] = False
    return reached & first


def _recent_size(bars: Bars, returns: Vector) -> Vector:
    """Return the exponential average of the absolute returns up to each day."""
    absolute = np.abs(returns)
    weight = 1 - per_day(bars.memory)
    return autoregression(weight * absolute, bars.memory, start=float(absolute[:_FIRST_MEMORY].mean()))


def _volume(bars: Bars, seed: int, name: str, returns: Vector, size: Vector, typical: float) -> Vector:
    noise = autoregression(
        bars.volume_noise * normal_shocks(seed, f"{name} volume", returns.size), bars.volume_half_life
    )
    busy = (0.5 + np.abs(returns) / size) ** bars.volume_response
    return np.maximum(np.round(typical * np.exp(noise) * busy / _SHARE_ROUND_LOT), 1.0) * _SHARE_ROUND_LOT


def _quoted(prices: Vector) -> Vector:
    return np.round(prices, _CENTS)
