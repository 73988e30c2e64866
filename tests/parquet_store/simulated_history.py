"""The simulated market as plain arrays on its sessions, and the documents' windows in plain numpy, for its tests."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from parquet_store.simulation import SimulatedMarket, simulate

Vector = NDArray[np.float64]
Days = NDArray[np.bool_]

FUNDS = ("SPY", "QQQ", "IWM", "XLE", "XLB", "XLU", "XLF", "XLI", "XLP", "XLV", "XLY", "IGV", "HYG", "LQD", "TLT")
STRESS = ("slow_burn_credit", "liquidity_panic", "policy_tightening")


@dataclass(frozen=True)
class History:
    market: SimulatedMarket
    days: NDArray[np.datetime64]
    returns: dict[str, Vector]
    """Total returns of the funds; the first is 0."""
    vix: Vector

    def index(self, symbol: str) -> Vector:
        """Return the total-return index."""
        return np.cumprod(1 + self.returns[symbol])

    def within(self, *kinds: str) -> Days:
        """Return the sessions that lie in an episode of one of these kinds."""
        inside = np.zeros(self.days.size, dtype=np.bool_)
        for episode in self.episodes(*kinds):
            inside |= episode
        return inside

    def episodes(self, *kinds: str) -> list[Days]:
        """Return the sessions of each episode of these kinds."""
        chosen = self.market.episodes.filter(pl.col("kind").is_in(kinds))
        return [self.between(first, last) for first, last in chosen.select("first", "last").iter_rows()]

    def between(self, first: object, last: object) -> Days:
        return (self.days >= np.datetime64(first)) & (self.days <= np.datetime64(last))

    def macro(self, series: str) -> Vector:
        """Return a daily series by session: the last value dated on or before it."""
        rows = self.market.macro.filter((pl.col("series") == series) & (pl.col("date").dt.weekday() <= 5))
        position = np.searchsorted(rows["date"].to_numpy(), self.days, side="right") - 1
        return rows["value"].to_numpy()[position]

    def closes(self, symbol: str) -> Vector:
        return self.market.prices.filter(pl.col("symbol") == symbol)["close"].to_numpy()


@cache
def history(seed: int | None = None) -> History:
    market = simulate(seed)
    returns = {symbol: _total_returns(market, symbol) for symbol in FUNDS}
    vix = market.prices.filter(pl.col("symbol") == "VIX")
    return History(market, vix["date"].to_numpy(), returns, vix["close"].to_numpy())


def _total_returns(market: SimulatedMarket, symbol: str) -> Vector:
    """Follow the rule of the total-return index: close over the previous close less the dividend of the day."""
    paid = market.actions.filter((pl.col("symbol") == symbol) & (pl.col("kind") == "dividend"))
    rows = market.prices.filter(pl.col("symbol") == symbol).join(
        paid.select("date", "value"), on="date", how="left", maintain_order="left"
    )
    close, dividend = rows["close"].to_numpy(), rows["value"].fill_null(0.0).to_numpy()
    return np.concatenate(([0.0], close[1:] / (close[:-1] - dividend[1:]) - 1))


def compounded(returns: Vector, days: Days) -> float:
    return float(np.prod(1 + returns[days]) - 1)


def correlation(first: Vector, second: Vector, days: Days) -> float:
    return float(np.corrcoef(first[days], second[days])[0, 1])


def rolling(values: Vector, window: int, statistic: str) -> Vector:
    """Return mean, max, min or std (ddof 1) of the last `window` values; NaN before there are so many."""
    views = sliding_window_view(values, window)
    result = np.full(values.size, np.nan)
    result[window - 1 :] = views.std(axis=1, ddof=1) if statistic == "std" else getattr(views, statistic)(axis=1)
    return result


def change(values: Vector, lag: int) -> Vector:
    result = np.full(values.size, np.nan)
    result[lag:] = values[lag:] - values[:-lag]
    return result


def z_score(values: Vector, window: int) -> Vector:
    return (values - rolling(values, window, "mean")) / rolling(values, window, "std")
