"""The simulated market has the feel of a real one, and each kind of episode does what its kind says, under any seed.

The ranges hold for every one of the first hundred seeds; they are wide, and a market without the property fails them.
"""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from tests.parquet_store.simulated_history import (
    FUNDS,
    STRESS,
    History,
    change,
    compounded,
    correlation,
    history,
    rolling,
)

SEEDS = [None, 0, 1, 2]

every_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: "shipped" if seed is None else f"seed {seed}")


def annual_volatility(returns: NDArray[np.float64]) -> float:
    return float(returns.std(ddof=1) * np.sqrt(252))


def excess_kurtosis(values: NDArray[np.float64]) -> float:
    deviation = values - values.mean()
    return float((deviation**4).mean() / (deviation**2).mean() ** 2 - 3)


def autocorrelation(values: NDArray[np.float64], lag: int) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


def pair(past: History) -> NDArray[np.float64]:
    basket = (past.returns["XLE"] + past.returns["XLB"] + past.returns["XLU"]) / 3
    return basket - past.returns["IGV"]


def bitcoin_on_sessions(past: History) -> NDArray[np.float64]:
    """Return bitcoin's one-day log return on the date of each session."""
    rows = past.market.prices.filter(pl.col("symbol") == "BTC-USD")
    daily = np.diff(np.log(rows["close"].to_numpy()), prepend=np.nan)
    return np.nan_to_num(daily[np.searchsorted(rows["date"].to_numpy(), past.days)])


@every_seed
def test_volatilities_are_those_of_their_kind(seed: int | None) -> None:
    past = history(seed)
    volatility = {symbol: annual_volatility(past.returns[symbol]) for symbol in FUNDS}
    ranges = {
        "SPY": (0.12, 0.25),
        "QQQ": (0.14, 0.29),
        "XLE": (0.19, 0.36),
        "IGV": (0.18, 0.35),
        "XLP": (0.08, 0.18),
        "HYG": (0.05, 0.15),
        "LQD": (0.05, 0.12),
        "TLT": (0.10, 0.20),
    }
    for symbol, (low, high) in ranges.items():
        assert low < volatility[symbol] < high, symbol
    assert volatility["XLP"] < volatility["SPY"] < volatility["QQQ"] < volatility["IGV"]
    bitcoin = np.diff(np.log(past.closes("BTC-USD")))
    assert 0.5 < bitcoin.std(ddof=1) * np.sqrt(365) < 0.85


@every_seed
def test_equities_grow_over_the_years_and_fall_in_between(seed: int | None) -> None:
    index = history(seed).index("SPY")
    assert 2 < index[-1] < 20
    assert -0.75 < (index / np.maximum.accumulate(index) - 1).min() < -0.3


@every_seed
def test_big_moves_cluster_and_tails_are_fat_but_returns_do_not_predict_themselves(seed: int | None) -> None:
    returns = history(seed).returns["SPY"]
    assert excess_kurtosis(returns) > 2
    assert autocorrelation(np.abs(returns), 1) > 0.08
    assert autocorrelation(np.abs(returns), 10) > 0.05
    assert abs(autocorrelation(returns, 1)) < 0.1


@every_seed
def test_the_vix_rises_when_equities_fall_and_reverts(seed: int | None) -> None:
    past = history(seed)
    moves = np.diff(np.log(past.vix))
    assert past.vix.min() > 8
    assert 12 < np.median(past.vix) < 22
    assert 40 < past.vix.max() < 90
    assert 0.04 < moves.std() < 0.1
    assert -0.85 < np.corrcoef(moves, past.returns["SPY"][1:])[0, 1] < -0.45
    assert 0.01 < (moves > np.log(1.15)).mean() < 0.08
    high = past.vix[:-60] > np.quantile(past.vix, 0.95)
    assert past.vix[60:][high].mean() < 0.75 * past.vix[:-60][high].mean()


@every_seed
def test_the_vix_foretells_the_size_of_moves(seed: int | None) -> None:
    past = history(seed)
    realised = rolling(past.returns["SPY"], 21, "std")[21:] * np.sqrt(252) * 100
    assert np.corrcoef(past.vix[:-21], realised)[0, 1] > 0.4
    assert 0.6 < np.median(realised / past.vix[:-21]) < 1.0


@every_seed
def test_correlations_rise_in_stress(seed: int | None) -> None:
    past = history(seed)
    stress = past.within(*STRESS)
    pairs = [("XLE", "IGV"), ("XLF", "SPY"), ("HYG", "SPY"), ("XLU", "SPY"), ("QQQ", "SPY")]
    rises = [
        correlation(past.returns[one], past.returns[other], stress)
        - correlation(past.returns[one], past.returns[other], ~stress)
        for one, other in pairs
    ]
    assert np.mean(rises) > 0.01
    assert np.sum(np.array(rises) > 0) >= 3
    bitcoin = bitcoin_on_sessions(past)
    in_stress, normally = (correlation(bitcoin, past.returns["SPY"], days) for days in (stress, ~stress))
    assert 0.1 < normally < 0.45
    assert in_stress > normally


@every_seed
def test_assets_hang_together(seed: int | None) -> None:
    past = history(seed)
    everywhere = np.ones(past.days.size, dtype=np.bool_)
    assert correlation(past.returns["QQQ"], past.returns["SPY"], everywhere) > 0.85
    assert correlation(past.returns["TLT"], past.returns["SPY"], everywhere) < -0.1
    assert 0.5 < correlation(past.returns["HYG"], past.returns["SPY"], everywhere) < 0.9
    assert correlation(past.returns["HYG"], past.returns["LQD"], everywhere) > 0.1
    price_only = np.diff(np.log(past.closes("^GSPC")), prepend=np.log(past.closes("^GSPC")[0]))
    assert correlation(price_only, np.log1p(past.returns["SPY"]), everywhere) > 0.99
    assert past.index("SPY")[-1] > 1.2 * past.closes("^GSPC")[-1] / past.closes("^GSPC")[0]


@every_seed
def test_spreads_are_one_family_that_follows_equities_and_the_vix(seed: int | None) -> None:
    past = history(seed)
    high_yield, grade, cdx, baa = (
        past.macro(name) for name in ("BAMLH0A0HYM2", "BAMLC0A0CM", "CDX_NA_HY_5Y", "BAA10Y")
    )
    assert 3 < np.median(high_yield) < 5
    assert 7 < high_yield.max() < 26
    assert (high_yield > 2 * grade).all()
    for other in (grade, cdx, baa, past.vix):
        assert np.corrcoef(np.log(high_yield), np.log(other))[0, 1] > 0.6
    assert np.corrcoef(change(high_yield, 20)[20:], change(np.log(past.index("SPY")), 20)[20:])[0, 1] < -0.5
    gap = np.log(cdx / high_yield / 100)
    assert gap.std() < 0.25 * np.log(high_yield).std() + 0.1


@every_seed
def test_cdx_moves_a_day_before_the_bond_index(seed: int | None) -> None:
    past = history(seed)
    bond, swap = (np.diff(np.log(past.macro(name))) for name in ("BAMLH0A0HYM2", "CDX_NA_HY_5Y"))
    leading = np.corrcoef(swap[:-1], bond[1:])[0, 1]
    lagging = np.corrcoef(bond[:-1], swap[1:])[0, 1]
    assert leading > lagging + 0.05


@every_seed
def test_rates_and_unemployment_stay_in_the_world(seed: int | None) -> None:
    past = history(seed)
    for name, low, high in (("DGS10", 0.0, 12.0), ("DTB3", 0.0, 12.0), ("BAA10Y", 1.0, 6.5), ("UNRATE", 3.0, 15.0)):
        values = past.market.macro.filter(pl.col("series") == name)["value"]
        assert low <= values.min() < values.max() < high, name  # type: ignore[operator]
    assert past.market.macro.filter(pl.col("series") == "UNRATE")["value"].max() > 6  # type: ignore[operator]


@every_seed
def test_in_a_slow_burn_commodities_rise_against_software_while_credit_tightens(seed: int | None) -> None:
    past = history(seed)
    episodes = past.episodes("slow_burn_credit")
    assert len(episodes) >= 4
    for days in episodes:
        assert compounded(pair(past), days) > 0.1
        assert compounded(past.returns["XLE"], days) > compounded(past.returns["SPY"], days) + 0.1
        assert compounded(past.returns["SPY"], days) < -0.05
    spreads = [past.macro("BAMLH0A0HYM2")[days] for days in episodes]
    assert np.mean([spread[-20:].mean() / spread[:20].mean() for spread in spreads]) > 1.25


@every_seed
def test_in_a_panic_everything_falls_and_energy_more_than_software(seed: int | None) -> None:
    past = history(seed)
    episodes = past.episodes("liquidity_panic")
    assert len(episodes) >= 4
    for days in episodes:
        for symbol in ("SPY", "QQQ", "XLE", "XLB", "XLF", "XLI", "XLY", "IGV", "HYG"):
            assert compounded(past.returns[symbol], days) < 0, symbol
        assert compounded(past.returns["XLE"], days) < compounded(past.returns["IGV"], days) - 0.05
        assert compounded(pair(past), days) < 0
        assert compounded(past.returns["TLT"], days) > 0


@every_seed
def test_in_a_tightening_stocks_and_bonds_fall_together(seed: int | None) -> None:
    past = history(seed)
    episodes = past.episodes("policy_tightening")
    assert len(episodes) >= 4
    bonds = [compounded(past.returns["TLT"], days) for days in episodes]
    stocks = [compounded(past.returns["SPY"], days) for days in episodes]
    assert max(stocks) < 0
    assert np.mean(bonds) < -0.03
    assert np.mean(stocks) > -0.25


@every_seed
def test_the_vix_spikes_in_panics_and_climbs_for_weeks_in_slow_burns(seed: int | None) -> None:
    past = history(seed)
    climb = change(rolling(past.vix, 20, "mean"), 1) > 0
    panics, burns = past.episodes("liquidity_panic"), past.episodes("slow_burn_credit")
    late_panic, late_burn = (np.mean([late_half(past.vix, days) for days in kind]) for kind in (panics, burns))
    assert late_panic > 1.2 * late_burn > 1.3 * past.vix[~past.within(*STRESS)].mean()
    assert np.mean([past.vix[days][-5:].mean() / past.vix[days][:5].mean() for days in panics]) > 1.5
    assert np.mean([longest_run(climb & days) for days in burns]) > 15


@every_seed
def test_momentum_crashes_with_and_without_the_market(seed: int | None) -> None:
    past = history(seed)
    spread = past.returns["QQQ"] - past.returns["SPY"]
    for kind in ("momentum_rotation", "momentum_liquidation"):
        assert len(past.episodes(kind)) >= 4
        assert all(spread[days].sum() < -0.015 for days in past.episodes(kind))
    rotation = [compounded(past.returns["SPY"], days) for days in past.episodes("momentum_rotation")]
    liquidation = [compounded(past.returns["SPY"], days) for days in past.episodes("momentum_liquidation")]
    assert np.mean(rotation) > -0.02
    assert np.mean(liquidation) < -0.03


@every_seed
def test_bitcoin_falls_with_the_rest_and_recovers_afterwards(seed: int | None) -> None:
    past = history(seed)
    bitcoin = bitcoin_on_sessions(past)
    falls = [float(np.exp(bitcoin[days].sum()) - 1) for days in past.episodes(*STRESS)]
    assert np.mean(falls) < -0.2
    assert np.mean(np.array(falls) < 0) > 0.75
    ends = np.array([np.flatnonzero(days)[-1] for days in past.episodes("liquidity_panic")])
    assert np.mean([bitcoin[end + 1 : end + 61].sum() for end in ends]) > 0


@every_seed
def test_no_day_of_an_episode_stands_out_as_a_step(seed: int | None) -> None:
    """The first and last days of episodes look like any other: plans begin and end smoothly."""
    past = history(seed)
    usual = np.abs(past.returns["SPY"]) / (past.vix / 100 / np.sqrt(252))
    edges = np.array([np.flatnonzero(days)[[0, -1]] for days in past.episodes(*STRESS)]).ravel()
    assert np.median(usual[edges]) < np.quantile(usual, 0.9)
    jumps = np.abs(np.diff(np.log(past.macro("BAMLH0A0HYM2"))))
    assert np.median(jumps[edges[edges < jumps.size]]) < np.quantile(jumps, 0.95)


def late_half(values: NDArray[np.float64], days: NDArray[np.bool_]) -> float:
    inside = values[days]
    return float(inside[inside.size // 2 :].mean())


def longest_run(flags: NDArray[np.bool_]) -> int:
    best = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        best = max(best, run)
    return best
