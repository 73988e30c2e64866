"""The simulated and the real market as panels with every series that the daily strategies read."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

from engine.panel import Panel
from parquet_store.simulation import simulate
from tests.real_data import REAL_DATA, needs_real_data

FIRST, LAST = date(2018, 1, 2), date(2026, 3, 6)

ADJUSTED = ("SPY", "QQQ", "XLE", "XLB", "XLU", "XLF", "IGV", "HYG", "TLT")
SERIES = (*ADJUSTED, "VIX", "BTC-USD", "DTB3")

MarketPanel = Callable[[], Panel]


@cache
def simulated_panel() -> Panel:
    """Return the simulated market over the sample of the shipped grids; its funds without their dividends."""
    market = simulate(None)
    rates = market.macro.rename({"series": "series_id"})
    return _panel(market.prices.with_columns(pl.col("close").alias("adj_close")), rates)


@cache
def real_panel() -> Panel:
    """Return the real market over the sample of the shipped grids, its prices adjusted for dividends."""
    prices = pl.read_parquet(REAL_DATA / "prices_daily.parquet")
    return _panel(prices, pl.read_parquet(REAL_DATA / "macro_daily.parquet"))


MARKETS = [
    pytest.param(simulated_panel, id="simulated"),
    pytest.param(real_panel, id="real", marks=[needs_real_data, pytest.mark.real_data]),
]
"""Both, for tests that run on each."""


def cut(panel: Panel, sessions: int) -> Panel:
    """Return the panel as it was after its first ``sessions`` sessions."""
    columns = {name: values[:sessions].copy() for name, values in panel.columns.items()}
    return Panel(panel.dates[:sessions], MappingProxyType(columns), 0, None, None, panel.simulated)


def without(panel: Panel, names: Sequence[str]) -> Panel:
    """Return the panel without some of its series."""
    columns = {name: values for name, values in panel.columns.items() if name not in names}
    return Panel(panel.dates, MappingProxyType(columns), 0, None, None, panel.simulated)


def _panel(prices: pl.DataFrame, rates: pl.DataFrame) -> Panel:
    """Align on SPY's sessions: of bitcoin, and of the bill, what is dated before the session is what was known."""
    dated = prices.with_columns(pl.col("date").cast(pl.Date)).sort("date")
    sessions = dated.filter(pl.col("symbol") == "SPY", pl.col("date").is_between(FIRST, LAST)).select("date")
    known = {
        name: dated.filter(pl.col("symbol") == name).select("date", pl.col("adj_close").alias("value"))
        for name in (*ADJUSTED, "VIX", "BTC-USD")
    }
    known["DTB3"] = (
        rates.filter(pl.col("series_id") == "DTB3", pl.col("value").is_not_null())
        .select(pl.col("date").cast(pl.Date), "value")
        .sort("date")
    )
    columns = {}
    for name, series in known.items():
        if name in ("BTC-USD", "DTB3"):
            aligned = sessions.join_asof(series, on="date", allow_exact_matches=False)
        else:
            aligned = sessions.join(series, on="date", how="left", maintain_order="left")
        columns[name] = aligned["value"].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    dates = sessions["date"].to_numpy().astype("datetime64[D]")
    return Panel(dates, MappingProxyType(columns), 0, None, None, simulated=True)
