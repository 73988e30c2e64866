"""Every rule of the documents finds its condition in the simulated market, within their sample and before it.

The indicators are written here in plain numpy, apart from the engine.
"""

from datetime import date
from itertools import product

import numpy as np
import pytest

from tests.parquet_store.simulated_history import Days, History, Vector, change, history, rolling, z_score

DOCUMENTS = (date(2018, 1, 2), date(2026, 3, 6))
EARLIER = (date(2005, 1, 3), date(2017, 12, 29))
FIVE_YEARS = 1260


def drawdown(values: Vector, window: int) -> Vector:
    return values / rolling(values, window, "max") - 1


def moving_average(values: Vector, span: int) -> Vector:
    """Return the exponential moving average that starts at the first value."""
    weight = 2 / (span + 1)
    level = float(values[0])
    averages = []
    for value in values.tolist():
        level += weight * (value - level)
        averages.append(level)
    return np.array(averages)


def pair_trades(past: History, sample: Days, length: int, threshold: float, stop: float) -> tuple[int, int]:
    """Follow the pair strategy day by day and return how many trades it made and how many of them the stop ended."""
    financials, high_yield, vix = past.index("XLF")[sample], past.index("HYG")[sample], past.vix[sample]
    basket = (past.returns["XLE"] + past.returns["XLB"] + past.returns["XLU"]) / 3
    returns = (basket - past.returns["IGV"])[sample]
    average = rolling(financials, length, "mean")
    calm = rolling(vix, 20, "mean") <= rolling(vix, 50, "mean")
    entry = (financials < average) & (change(average, 20) < 0) & ~calm
    entry &= (drawdown(high_yield, 60) < threshold) & ~np.isnan(rolling(vix, 50, "mean"))
    above = financials > average
    trades = stops = 0
    held, armed, filling, growth = False, True, "", 1.0
    for day in range(returns.size):
        growth *= 1 + returns[day] if held else 1.0
        if filling == "in":
            held, growth, trades = True, 1.0, trades + 1
        elif filling == "out":
            held = False
        filling = ""
        armed |= not entry[day]
        stopped = held and growth - 1 <= stop
        leave = bool(calm[day]) or bool(above[max(day - 4, 0) : day + 1].all()) or stopped
        if held and leave:
            filling, stops, armed = "out", stops + stopped, not stopped
        elif not held and entry[day] and armed and not leave:
            filling = "in"
    return trades, stops


@pytest.mark.parametrize("sample", [DOCUMENTS, EARLIER], ids=["documents", "earlier"])
def test_the_pair_trades_and_is_stopped_out(sample: tuple[date, date]) -> None:
    past = history()
    days = past.between(*sample)
    grid = list(product((150, 175, 200, 225, 250), (-0.02, -0.035, -0.05), (-0.10, -0.15, -0.20)))
    results = [pair_trades(past, days, *combination) for combination in grid]
    assert min(trades for trades, _ in results) >= 2
    assert max(trades for trades, _ in results) >= 8
    assert len({trades for trades, _ in results}) >= 4
    stopped = {stop for (_, _, stop), (_, stops) in zip(grid, results, strict=True) if stops}
    assert {-0.10, -0.15} <= stopped
    assert any(stops == 0 for _, stops in results)


@pytest.mark.parametrize("sample", [DOCUMENTS, EARLIER], ids=["documents", "earlier"])
def test_all_levels_of_the_capitulation_score_occur(sample: tuple[date, date]) -> None:
    past = history()
    falling = (past.returns["SPY"] < 0).astype(float)
    components = [
        z_score(past.vix, 60) > 2,
        drawdown(past.index("HYG"), 60) < -0.03,
        rolling(falling, 10, "mean") >= 0.7 - 1e-12,
        past.index("XLF") < rolling(past.index("XLF"), 200, "mean"),
    ]
    score = np.sum(components, axis=0)[past.between(*sample)]
    shares = np.bincount(score, minlength=5) / score.size
    assert 0.3 < shares[0] < 0.8
    assert (shares > 0.005).all()
    assert shares[4] < 0.06


def test_the_vix_regimes_of_the_second_strategy_occur() -> None:
    past = history()
    fast, slow = rolling(past.vix, 20, "mean"), rolling(past.vix, 50, "mean")
    trending = (fast > slow) & (change(fast, 5) > 0) & (change(slow, 5) > 0)
    floor_rising = change(rolling(past.vix, 20, "min"), 5) > 0
    sample = past.between(*DOCUMENTS)
    score = (trending.astype(int) + floor_rising)[sample]
    assert (np.bincount(score, minlength=3) > 100).all()
    assert 0.1 < trending[sample].mean() < 0.45
    starts = np.flatnonzero(np.diff(np.concatenate(([0], trending[sample].astype(int), [0]))))
    lengths = starts[1::2] - starts[::2]
    assert (lengths >= 10).sum() >= 10
    returns = past.returns["SPY"][sample]
    assert returns[trending[sample]].mean() < returns[~trending[sample]].mean()
    band = fast - 2 * rolling(past.vix, 20, "std")
    assert (past.vix < band)[sample].sum() > 5
    assert (past.vix > fast + 3 * rolling(past.vix, 20, "std"))[sample].sum() > 5


def test_momentum_crashes_of_both_types_are_found_by_the_classifier() -> None:
    past = history()
    spread = 5 * rolling(past.returns["QQQ"] - past.returns["SPY"], 5, "mean")
    crash = (spread < -0.025) & past.between(*DOCUMENTS)
    stressed = drawdown(past.index("HYG"), 20) < -0.03
    assert (crash & stressed).sum() >= 5
    assert (crash & ~stressed).sum() >= 5
    rotation = np.array([(crash & ~stressed & days).any() for days in past.episodes("momentum_rotation")])
    liquidation = np.array([(crash & stressed & days).any() for days in past.episodes("momentum_liquidation")])
    assert rotation.sum() >= 1
    assert liquidation.sum() >= 1


@pytest.mark.parametrize("sample", [DOCUMENTS, (date(2010, 1, 4), date(2017, 12, 29))], ids=["documents", "earlier"])
def test_the_rules_of_the_spread_monitor_find_their_days(sample: tuple[date, date]) -> None:
    past = history()
    days = past.between(*sample)
    spread = 100 * past.macro("BAMLH0A0HYM2")
    level, move = z_score(spread, FIVE_YEARS), change(spread, 20)
    momentum = np.full(spread.size, np.nan)
    momentum[20:] = z_score(move[20:], FIVE_YEARS)
    peak = (level >= 2) & (change(spread, 5) < 0) & (drawdown(past.index("SPY"), 60) <= -0.08)
    assert 0.01 < (level >= 2)[days].mean() < 0.2
    assert ((level >= 1.5) & (move > 0) & days).sum() > 20
    assert (peak & days).sum() > 3
    assert ((level < 1) & (move > 0) & (z_score(past.vix, FIVE_YEARS) < 1) & days).sum() > 100
    assert ((0.7 * level + 0.3 * momentum >= 1.5) & days).sum() > 20
    assert ((level <= 0.5) & (move < 0) & days).sum() > 100


def test_the_combined_credit_spread_model_scores_all_its_levels() -> None:
    past = history()
    fridays = np.flatnonzero(np.diff(past.days.astype("datetime64[W]").astype(int), append=-1) != 0)
    bonds, swaps = past.macro("BAMLH0A0HYM2")[fridays], past.macro("CDX_NA_HY_5Y")[fridays]
    smooth = moving_average(bonds, 13)
    gap = smooth - moving_average(smooth, 28)
    bond_favourable = ~((gap > 0) & (change(gap, 2) > 0))
    swap_favourable = moving_average(swaps, 14) - moving_average(swaps, 25) <= 0
    score = bond_favourable.astype(int) + swap_favourable
    shares = np.bincount(score, minlength=3) / score.size
    assert (shares > 0.05).all()
    changes = (np.diff(score) != 0).mean() * 52
    assert 1 < changes < 12


def test_bitcoin_sees_days_on_which_the_vix_jumps() -> None:
    past = history()
    jumps = past.days[1:][past.vix[1:] / past.vix[:-1] > 1.15]
    rows = past.market.prices.filter(symbol="BTC-USD")
    returns = rows["close"].to_numpy()[1:] / rows["close"].to_numpy()[:-1] - 1
    on_jumps = returns[np.searchsorted(rows["date"].to_numpy(), jumps) - 1]
    assert on_jumps.size > 50
    assert on_jumps.mean() < returns.mean() - 0.005
    assert 0.5 < (on_jumps < 0).mean() < 0.95
