"""The simulated market is a pure function that yields valid tables on complete calendars."""

import os
import subprocess
import sys
from datetime import date
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from polars.testing import assert_frame_equal

from parquet_store import SCHEMAS, StoreError, load_universe, sessions
from parquet_store.inventory import expected_days
from parquet_store.simulation import FIRST, LAST, SimulatedMarket, load_parameters, simulate
from parquet_store.simulation.processes import normal_shocks
from tests.parquet_store.simulated_history import FUNDS, history

TABLES = ("prices", "actions", "macro")

HASH_SCRIPT = """
from hashlib import sha256
from parquet_store.simulation import simulate
market = simulate()
print(*(sha256(frame.write_csv().encode()).hexdigest()
        for frame in (market.prices, market.actions, market.macro, market.episodes)))
"""


def market() -> SimulatedMarket:
    return history().market


def prices(symbol: str) -> pl.DataFrame:
    return market().prices.filter(pl.col("symbol") == symbol)


def macro(series: str) -> pl.DataFrame:
    return market().macro.filter(pl.col("series") == series)


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1"},
        {
            "PYTHONHASHSEED": "2",
            # An older processor computes exp and log along other paths, which may differ in the last bit.
            "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name]),
        },
    ],
    ids=["one thread", "older processor"],
)
def test_the_market_is_the_same_in_every_process(environment: dict[str, str]) -> None:
    chosen = market()
    frames = (chosen.prices, chosen.actions, chosen.macro, chosen.episodes)
    here = [sha256(frame.write_csv().encode()).hexdigest() for frame in frames]
    there = subprocess.run(
        [sys.executable, "-c", HASH_SCRIPT], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.split() == here


def test_another_seed_is_another_market_with_the_same_episodes() -> None:
    other = history(1).market
    assert_frame_equal(other.episodes, market().episodes)
    assert other.prices["close"].ne(market().prices["close"]).mean() > 0.99


@pytest.mark.parametrize(("first", "last"), [(FIRST, date(2012, 7, 11)), (date(2019, 2, 3), date(2020, 3, 6))])
def test_a_range_is_cut_out_of_the_one_history(first: date, last: date) -> None:
    part = simulate(first=first, last=last)
    for table in TABLES:
        whole = getattr(market(), table).filter(pl.col("date").is_between(first, last))
        if table == "macro":
            monthly = pl.col("series").is_in(["BAA", "UNRATE"])
            whole = whole.filter(~monthly | (pl.col("date").dt.month_end() <= last))
        assert_frame_equal(getattr(part, table), whole)


def test_a_longer_history_begins_like_a_shorter_one() -> None:
    longer = simulate(last=date(2029, 12, 31))
    for table in TABLES:
        assert_frame_equal(getattr(longer, table).filter(pl.col("date") <= LAST), getattr(market(), table))
        assert getattr(longer, table)["date"].max() > date(2029, 11, 1)


def test_a_day_without_a_session_leaves_only_bitcoin() -> None:
    part = simulate(first=date(2024, 3, 2), last=date(2024, 3, 3))
    assert part.prices["symbol"].unique().to_list() == ["BTC-USD"]
    assert part.macro.is_empty()
    assert part.macro.columns == market().macro.columns


def test_a_fund_more_or_less_leaves_the_others_as_they_are() -> None:
    parameters = load_parameters()
    fewer = {name: parameters.funds[name] for name in reversed(FUNDS) if name != "QQQ"}
    without = simulate(parameters=parameters.model_copy(update={"funds": fewer}))
    assert_frame_equal(without.prices, market().prices.filter(pl.col("symbol") != "QQQ"))
    assert_frame_equal(without.macro, market().macro)


def test_streams_of_different_names_are_unrelated() -> None:
    first, second = normal_shocks(1, "XLE own", 5000), normal_shocks(1, "XLB own", 5000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    np.testing.assert_array_equal(first[:100], normal_shocks(1, "XLE own", 100))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "the seed of the simulated market must not be negative, and -1 is"),
        ({"first": date(2004, 12, 31)}, "the simulated market begins on 2005-01-03; 2004-12-31 is before that"),
        ({"first": date(2020, 1, 2), "last": date(2020, 1, 1)}, "the last day is before the first"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        simulate(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_the_schema_of_the_store(table: str) -> None:
    frame, schema = getattr(market(), table), SCHEMAS[table]
    assert dict(frame.schema) == {name: dtype for name, dtype in schema.columns.items() if name != "seen_at"}
    assert frame.select(schema.key).is_duplicated().sum() == 0
    assert frame.select(schema.key).equals(frame.select(schema.key).sort(schema.key))
    assert frame["source"].unique().to_list() == ["simulated"]
    assert frame.select(schema.required - {"seen_at"}).null_count().sum_horizontal().item() == 0


def test_every_series_of_the_universe_is_there_in_its_unit_and_basis() -> None:
    universe = load_universe()
    kinds = market().prices.select(name="symbol", says="basis", table=pl.lit("prices")).unique()
    units = market().macro.select(name="series", says="unit", table=pl.lit("macro")).unique()
    found = {name: (says, table) for name, says, table in pl.concat([kinds, units]).iter_rows()}
    assert found == {spec.name: (spec.basis or spec.unit, spec.table) for spec in universe.series}


def test_calendars_have_no_gaps_and_no_strangers() -> None:
    month_ends = 0
    for spec in load_universe().series:
        rows = (prices(spec.name) if spec.kind == "price" else macro(spec.name))["date"]
        first = date(2005, 2, 1) if spec.calendar == "monthly" else FIRST
        expected = expected_days(spec.calendar, first, LAST)
        assert expected.is_in(rows.implode()).all(), spec.name
        strangers = rows.filter(~rows.is_in(expected.implode()))
        if spec.source == "fred" and spec.name.startswith("BAML"):
            assert (strangers.dt.weekday() > 5).all()
            assert (strangers == strangers.dt.month_end()).all()
            month_ends += strangers.len()
        else:
            assert strangers.is_empty(), spec.name
    assert month_ends > 100


def test_values_become_known_by_the_rules_of_the_universe() -> None:
    known = {
        ("prices", "SPY", date(2024, 7, 3)): "2024-07-03 20:00:00",
        ("prices", "BTC-USD", date(2024, 7, 6)): "2024-07-07 00:00:00",
        ("macro", "BAMLH0A0HYM2", date(2024, 7, 3)): "2024-07-05 13:00:00",
        ("macro", "BAA", date(2024, 7, 1)): "2024-07-31 20:00:00",
        ("macro", "UNRATE", date(2024, 7, 1)): "2024-08-02 12:30:00",
    }
    for (table, name, day), moment in known.items():
        series = SCHEMAS[table].series
        assert series is not None
        rows = getattr(market(), table).filter((pl.col(series) == name) & (pl.col("date") == day))
        assert rows["known_at"].dt.strftime("%Y-%m-%d %H:%M:%S").to_list() == [moment]


def test_bars_enclose_open_and_close() -> None:
    bars = market().prices
    assert bars.select(
        (
            (pl.col("low") > 0)
            & (pl.col("low") <= pl.min_horizontal("open", "close"))
            & (pl.col("high") >= pl.max_horizontal("open", "close"))
        ).all()
    ).item()
    inside = bars.select(((pl.col("high") > pl.col("close")) & (pl.col("low") < pl.col("open"))).mean()).item()
    assert inside > 0.8
    assert (bars.filter(pl.col("symbol") != "VIX")["volume"] > 0).all()
    assert bars.filter(pl.col("symbol") == "VIX")["volume"].null_count() == prices("VIX").height


def test_bitcoin_trades_on_weekends() -> None:
    days = prices("BTC-USD")["date"]
    assert days.to_list() == pl.date_range(FIRST, LAST, eager=True).to_list()
    weekend = prices("BTC-USD").with_columns(change=pl.col("close").log().diff()).filter(days.dt.weekday() > 5)
    assert weekend["change"].std() > 0.015


def test_dividends_are_quarterly_for_equities_and_monthly_for_bonds() -> None:
    paid = market().actions.filter(pl.col("kind") == "dividend").with_columns(year=pl.col("date").dt.year())
    counts = paid.filter(pl.col("year").is_between(2006, 2025)).group_by("symbol", "year").len()
    for symbol in FUNDS:
        expected = 12 if symbol in ("HYG", "LQD", "TLT") else 4
        assert set(counts.filter(pl.col("symbol") == symbol)["len"]) == {expected}, symbol
    assert paid["date"].is_in(sessions(FIRST, LAST)["date"].implode()).all()


@pytest.mark.parametrize("symbol", FUNDS)
def test_dividends_part_the_price_from_the_total_return(symbol: str) -> None:
    listing = load_parameters().listings[symbol]
    total = history().index(symbol)
    close = history().closes(symbol)
    years = (LAST - FIRST).days / 365.25
    gap = np.log(total[-1] * close[0] / close[-1]) / years
    assert gap == pytest.approx(listing.dividend, rel=0.05)


def test_prices_fall_by_the_dividend_at_the_open_of_the_ex_date() -> None:
    paid = market().actions.filter(pl.col("kind") == "dividend", pl.col("symbol") == "HYG")
    bars = prices("HYG").with_columns(gap=pl.col("open") - pl.col("close").shift(1))
    gaps = bars.join(paid.select("date", "value"), on="date", how="left", maintain_order="left")
    ex, other = gaps.filter(pl.col("value").is_not_null()), gaps.filter(pl.col("value").is_null())
    assert ex["gap"].mean() - other["gap"].mean() == pytest.approx(-ex["value"].mean(), abs=0.1)


def test_prices_are_adjusted_for_their_splits() -> None:
    splits = market().actions.filter(pl.col("kind") == "split")
    assert splits.height == 2
    for symbol, day, ratio in splits.select("symbol", "date", "value").iter_rows():
        assert ratio > 1
        close = prices(symbol).filter(pl.col("date") <= day)["close"].tail(2).to_list()
        assert abs(close[1] / close[0] - 1) < 0.1


def test_the_baa_yield_is_the_ten_year_yield_plus_its_spread() -> None:
    wide = market().macro.pivot(on="series", index="date", values="value").drop_nulls("DBAA")
    np.testing.assert_allclose(wide["DBAA"] - wide["DGS10"], wide["BAA10Y"], atol=1e-9)


def test_baa_is_the_mean_of_its_month() -> None:
    means = macro("DBAA").group_by(pl.col("date").dt.month_start()).agg(pl.col("value").mean().alias("mean"))
    both = macro("BAA").join(means, on="date")
    assert both.height == macro("BAA").height
    assert (both["value"] - both["mean"]).abs().max() <= 0.005 + 1e-9


def test_vixcls_is_the_close_of_the_vix() -> None:
    assert macro("VIXCLS").select("date", "value").rows() == prices("VIX").select("date", "close").rows()


def test_cdx_is_in_basis_points_and_oas_in_percent() -> None:
    ratio = history().macro("CDX_NA_HY_5Y") / history().macro("BAMLH0A0HYM2")
    assert 70 < np.median(ratio) < 110
