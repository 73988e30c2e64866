"""The price series: funds from their loadings, the VIX and the index from the drivers, bitcoin on every day."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from parquet_store.simulation.bars import DailyBars, bars_from_returns, dividends_paid, ex_dates
from parquet_store.simulation.drivers import STYLES, YEAR, Drivers
from parquet_store.simulation.parameters import Fund, Parameters
from parquet_store.simulation.processes import (
    Vector,
    autoregression,
    normal_shocks,
    per_day,
    pulled_walk,
    student_shocks,
)
from parquet_store.simulation.timeline import Timeline

__all__ = ["bitcoin_bars", "fund_bars", "index_bars", "split_actions", "vix_bars"]

_CALENDAR_YEAR = 365


def fund_bars(
    parameters: Parameters, seed: int, name: str, days: NDArray[np.datetime64], timeline: Timeline, drivers: Drivers
) -> tuple[DailyBars, pl.DataFrame]:
    """Return a fund's bars and its dividends (``symbol``, ``date``, ``kind``, ``value`` in USD a share)."""
    listing = parameters.listings[name]
    returns = _fund_returns(parameters, seed, name, timeline, drivers)
    ex = ex_dates(listing, days)
    paid = dividends_paid(listing, seed, name, ex)
    bars = bars_from_returns(parameters.bars, seed, name, returns, listing.price, listing.volume * 1e6, paid)
    value = np.round(paid[1:] * bars.close[:-1], 4)
    held = pl.DataFrame({"date": days[1:][ex[1:]], "value": value[ex[1:]]})
    return bars, held.select(pl.lit(name).alias("symbol"), "date", pl.lit("dividend").alias("kind"), "value")


def split_actions(parameters: Parameters) -> pl.DataFrame:
    """Return the splits as actions; the prices are split-adjusted and do not show them."""
    splits = parameters.splits
    return pl.DataFrame(
        {
            "symbol": [split.symbol for split in splits],
            "date": [split.date for split in splits],
            "kind": ["split"] * len(splits),
            "value": [split.ratio for split in splits],
        },
        schema={"symbol": pl.String, "date": pl.Date, "kind": pl.String, "value": pl.Float64},
    )


def vix_bars(parameters: Parameters, seed: int, drivers: Drivers) -> DailyBars:
    """Return the bars of the VIX; an index has no volume, so that column is NaN."""
    start = parameters.volatility.reference_vix
    returns = np.diff(np.log(drivers.vix), prepend=np.log(start))
    bars = bars_from_returns(parameters.bars, seed, "VIX", returns, start, 0.0)
    return DailyBars(bars.open, bars.high, bars.low, bars.close, np.full(returns.size, np.nan))


def index_bars(parameters: Parameters, seed: int, drivers: Drivers) -> DailyBars:
    """Return the bars of the price index: the market without its dividends, a hair apart from the fund."""
    index, fund = parameters.index, parameters.listings["SPY"]
    apart = index.noise * normal_shocks(seed, "^GSPC", drivers.market.size)
    returns = drivers.market - fund.dividend / YEAR + np.diff(apart, prepend=0.0)
    return bars_from_returns(parameters.bars, seed, "^GSPC", returns, index.price, index.volume * 1e6)


def bitcoin_bars(
    parameters: Parameters, seed: int, timeline: Timeline, drivers: Drivers, is_session: NDArray[np.bool_]
) -> DailyBars:
    """Return the bars of bitcoin, one each calendar day.

    Parameters
    ----------
    timeline
        The episodes on the days of bitcoin.
    drivers
        The drivers on the sessions.
    is_session
        The days of bitcoin that are sessions, in their order.
    """
    bitcoin, factor = parameters.bitcoin, parameters.factors["bitcoin"]
    count = is_session.size
    spread = bitcoin.volatility_deviation * np.sqrt(1 - per_day(bitcoin.volatility_half_life) ** 2)
    log_level = autoregression(spread * normal_shocks(seed, "bitcoin volatility", count), bitcoin.volatility_half_life)
    shocks = student_shocks(seed, "bitcoin", count, parameters.volatility.tail_degrees)
    deviation = factor.volatility / np.sqrt(_CALENDAR_YEAR) * np.exp(log_level)
    own = pulled_walk(
        timeline.centred(deviation * shocks),
        timeline.design("bitcoin"),
        timeline.free,
        factor.trend / _CALENDAR_YEAR,
        factor.half_life,
    )
    shared = np.zeros(count)
    shared[is_session] = bitcoin.market_beta * drivers.turbulence**bitcoin.stress_power * drivers.market
    return bars_from_returns(parameters.bars, seed, "BTC-USD", own + shared, bitcoin.price, bitcoin.volume * 1e6)


def _fund_returns(parameters: Parameters, seed: int, name: str, timeline: Timeline, drivers: Drivers) -> Vector:
    """Return a fund's total log returns: loadings times factors, less durations times moves of rates, and its own."""
    fund = parameters.funds[name]
    returns = fund.alpha / YEAR + fund.market * drivers.market
    for style in STYLES:
        returns = returns + getattr(fund, style) * drivers.styles[style]
    for duration, percent in (
        (fund.treasury, drivers.ten_year),
        (fund.high_yield, drivers.high_yield),
        (fund.investment_grade, drivers.investment_grade),
    ):
        returns = returns - duration * np.diff(percent, prepend=percent[0]) / 100
    return returns + _income(fund, drivers) + _own_changes(parameters, seed, name, timeline, drivers.turbulence)


def _income(fund: Fund, drivers: Drivers) -> Vector:
    if fund.income == "none":
        return np.zeros(drivers.ten_year.size)
    spread = 0.0 if fund.income == "treasury" else getattr(drivers, fund.income)
    return (drivers.ten_year + spread) / 100 / YEAR


def _own_changes(parameters: Parameters, seed: int, name: str, timeline: Timeline, turbulence: Vector) -> Vector:
    """Return what is the fund's alone; like a style, it is centred in episodes and pulled back to zero over years."""
    shocks = student_shocks(seed, f"{name} own", turbulence.size, parameters.volatility.tail_degrees)
    daily = parameters.funds[name].own / np.sqrt(YEAR) * turbulence
    centred, unplanned = timeline.centred(daily * shocks), np.zeros(turbulence.size)
    return pulled_walk(centred, unplanned, timeline.free, 0.0, parameters.own_half_life)
