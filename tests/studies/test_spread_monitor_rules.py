"""The monitor's rules from the text, session by session: when they fire, and what followed over cash and the market."""

import math
from datetime import date
from statistics import fmean, median

import numpy as np
import pytest

from engine.inference import random_entry_null
from engine.panel import Sample
from engine.studies import History, find_study
from tests.references.credit_spreads_monitor import change, drawdown, scores, share_above_average

STUDY = find_study("spread_monitor_rules")
SHORT = {"lookback_years": 1, "short_lookback_years": 1, "short_history": "shorter_window"}
LOW = {"risk_off_score": 1.0, "bounce_score": 1.0, "bounce_drawdown": -0.03}
"""Windows that a plain loop can afford, and thresholds that are met often."""

Values = list[float | None]


def known(values: np.ndarray) -> Values:
    return [None if math.isnan(value) else value for value in values.tolist()]


class Slowly:
    """The rules and the returns by the document's words."""

    def __init__(self, history: History) -> None:
        self.days = history.dates.tolist()
        self.closes = {name: known(history.closes(name)) for name in ("SPY", "IWM", "^GSPC", *SECTORS)}
        spread = [None if value is None else 100 * value for value in known(history.closes("BAMLH0A0HYM2"))]
        level, rises, falls = scores(spread, [252], 0.1, "today"), change(spread, 20), change(spread, 5)
        calm = scores(known(history.closes("VIX")), [252], 0.0, "today")
        down = drawdown(self.closes["SPY"], 60)
        self.fires: dict[str, list[int]] = {"risk_off": [], "reflexive_bounce": [], "non_confirmation": []}
        for t, z in enumerate(level):
            if z is None:
                continue
            twenty, five, fall, vix = rises[t], falls[t], down[t], calm[t]
            if z >= 1.0 and twenty is not None and twenty > 0:
                self.fires["risk_off"].append(t)
            if z >= 1.0 and five is not None and five < 0 and fall is not None and fall <= -0.03:
                self.fires["reflexive_bounce"].append(t)
            if z < 1.0 and twenty is not None and twenty > 0 and vix is not None and vix < 1.0:
                self.fires["non_confirmation"].append(t)
        self.cash = [1.0]
        rate: float | None = None
        for t, value in enumerate(known(history.closes("DTB3"))[:-1]):
            rate = value if value is not None else rate
            days = (self.days[t + 1] - self.days[t]).days
            price = 1.0 - (rate or 0.0) / 100 * 91 / 360
            self.cash.append(self.cash[-1] * price ** (-days / 91))

    def forward(self, name: str, t: int, horizon: int) -> float | None:
        """Close t+1 to close t+1+horizon; None where the history ends before."""
        values = self.cash if name == "cash" else self.closes[name]
        if t + 1 + horizon >= len(self.days):
            return None
        return values[t + 1 + horizon] / values[t + 1] - 1.0  # type: ignore[operator]

    def over(self, names: tuple[str, ...], against: tuple[str, ...], rule: str, horizon: int) -> list[float]:
        """Mean return of some assets less that of others after each event."""
        excess = []
        for t in self.fires[rule]:
            if self.forward("cash", t, horizon) is not None:
                sides = [fmean(self.forward(name, t, horizon) for name in side) for side in (names, against)]  # type: ignore[type-var]
                excess.append(sides[0] - sides[1])
        return excess


DEFENSIVE, CYCLICAL = ("XLP", "XLU", "XLV"), ("XLY", "XLI", "XLF", "XLB", "XLE")
SECTORS = (*DEFENSIVE, *CYCLICAL)
BASKETS = {"defensive": DEFENSIVE, "cyclical": CYCLICAL, "small caps": ("IWM",), "SPY": ("SPY",)}


@pytest.fixture(scope="module")
def history(simulated_market) -> History:
    return simulated_market.history(Sample(date(2007, 1, 3), date(2011, 12, 30)))


@pytest.fixture(scope="module")
def slowly(history) -> Slowly:
    return Slowly(history)


@pytest.fixture(scope="module")
def result(history):
    return STUDY.run(history, STUDY.parameters(**SHORT, **LOW))


def test_returns_over_cash_and_over_the_market(slowly, result) -> None:
    table = result.tables["spread_monitor.rules"]
    assert table.height == 18 + 21
    compared = 0
    for row in table.iter_rows(named=True):
        if row["over"] == "SPY on average":
            continue
        against = {"cash": ("cash",), "SPY": ("SPY",), "cyclical": CYCLICAL}[row["over"]]
        expected = slowly.over(BASKETS[row["asset"]], against, row["rule"], row["horizon"])
        assert row["n"] == len(expected)
        assert row["mean"] == pytest.approx(fmean(expected), rel=1e-9, abs=1e-14)
        assert row["median"] == pytest.approx(median(expected), rel=1e-9, abs=1e-14)
        assert row["positive"] == fmean(value > 0 for value in expected)
        compared += len(expected) > 30
    assert compared > 20


def test_the_market_over_itself_is_over_its_mean(slowly, result) -> None:
    table = result.tables["spread_monitor.rules"].filter(
        rule="risk_off", asset="SPY", over="SPY on average", horizon=20
    )
    row = table.row(0, named=True)
    every = [slowly.forward("SPY", t, 20) for t in range(len(slowly.days) - 21)]
    after = [slowly.forward("SPY", t, 20) for t in slowly.fires["risk_off"] if t < len(slowly.days) - 21]
    assert row["mean"] == pytest.approx(fmean(after) - fmean(every), rel=1e-9)  # type: ignore[type-var]


def test_confidence_is_the_share_of_events_with_the_claimed_sign(slowly, result) -> None:
    table = result.tables["spread_monitor.confidence"].filter(asset="SPY")
    signs = {"risk_off": -1, "reflexive_bounce": 1}
    for row in table.iter_rows(named=True):
        if row["rule"] == "non_confirmation":
            assert row["share"] is None
            continue
        sign = signs[row["rule"]]
        excess = slowly.over(("SPY",), ("cash",), row["rule"], row["horizon"])
        assert row["share"] == pytest.approx(fmean(sign * value > 0 for value in excess), rel=1e-12)
        assert row["low"] <= row["share"] <= row["high"]
    figures = {figure.id: figure for figure in result.figures}
    risk_off = figures["spread_monitor.rules.risk_off.confidence"]
    assert risk_off.reproduced == 0.67
    assert risk_off.tradable == table.filter(rule="risk_off", horizon=60)["share"][0]
    assert figures["spread_monitor.rules.non_confirmation.confidence"].tradable is None


def test_falls_below_the_close_of_entry(slowly, result) -> None:
    closes = slowly.closes["SPY"]
    for row in result.tables["spread_monitor.falls"].iter_rows(named=True):
        fell = []
        for t in slowly.fires["risk_off"]:
            if t + 1 + row["horizon"] < len(closes):
                lowest = min(closes[t + 2 : t + 2 + row["horizon"]])
                fell.append(lowest / closes[t + 1] - 1.0 <= row["fall"])
        assert row["n"] == len(fell)
        assert row["share"] == pytest.approx(fmean(fell), rel=1e-12)


def test_chance_is_that_of_the_claim_and_not_of_the_mean(slowly, result) -> None:
    """The share, not the mean, of the events is set against that of events at random places, one-sided."""
    table = result.tables["spread_monitor.confidence"].filter(asset="SPY")
    sessions = len(slowly.days)
    for row in table.iter_rows(named=True):
        if row["claim"] == "neutral":
            assert row["null_p_value"] is None
            continue
        sign, horizon = (-1 if row["claim"] == "negative" else 1), row["horizon"]
        came_true = np.full(sessions, np.nan)
        for t in range(sessions - horizon - 1):
            excess = slowly.forward("SPY", t, horizon) - slowly.forward("cash", t, horizon)
            came_true[t] = sign * excess > 0
        events = np.isin(np.arange(sessions), slowly.fires[row["rule"]])
        null = random_entry_null(came_true, events, horizon=horizon, seed=0)
        assert null is not None
        assert row["null_p_value"] == null.higher_p_value
        assert (row["share"] > null.high) <= (row["null_p_value"] < 0.05)
    for row in result.tables["spread_monitor.falls"].iter_rows(named=True):
        assert row["null_p_value"] is None or 0.0 < row["null_p_value"] <= 1.0


def test_narrow_stress_is_that_of_high_yield_alone(history, slowly) -> None:
    """Investment grade calm and most sectors above their average, in plain loops."""
    told = STUDY.run(history, STUDY.parameters(**SHORT, **LOW, ig_benign_score=1.5)).tables[
        "spread_monitor.invalidation"
    ]
    grade = [None if value is None else 100 * value for value in known(history.closes("BAMLC0A0CM"))]
    calm = scores(grade, [252], 0.1, "today")
    breadth = share_above_average([slowly.closes[name] for name in SECTORS], 50)
    narrow = {
        t
        for t, (z, share) in enumerate(zip(calm, breadth, strict=True))
        if z is not None and z < 1.5 and share is not None and share >= 0.5
    }
    for horizon in (5, 20, 60):
        last = len(slowly.days) - 1 - horizon
        events = [t for t in slowly.fires["risk_off"] if t < last]
        for name, part in (("narrow", narrow & set(events)), ("general", set(events) - narrow)):
            row = told.filter(stress=name, horizon=horizon).row(0, named=True)
            excess = [slowly.forward("SPY", t, horizon) - slowly.forward("cash", t, horizon) for t in sorted(part)]
            assert row["n"] == len(excess) > 0
            assert row["mean"] == pytest.approx(fmean(excess), rel=1e-9, abs=1e-14)


def test_narrow_and_general_stress_make_all_events(result) -> None:
    split = result.tables["spread_monitor.invalidation"]
    whole = result.tables["spread_monitor.rules"].filter(rule="risk_off", asset="SPY", over="cash")
    for horizon in (5, 20, 60):
        parts = split.filter(horizon=horizon)["n"].sum()
        assert parts == whole.filter(horizon=horizon)["n"][0]


def test_runs_on_other_symbols_without_baskets(simulated_market) -> None:
    history = simulated_market.history(Sample(date(2012, 1, 3), date(2016, 12, 30)))
    parameters = STUDY.parameters(**SHORT, equity="QQQ", index="nowhere", defensive="nowhere", small_caps="XLF")
    tables = STUDY.run(history, parameters).tables
    assert "spread_monitor.index" not in tables
    assert set(tables["spread_monitor.rules"]["asset"]) == {"QQQ", "cyclical", "small caps"}


def test_a_proxy_says_that_it_is_one(simulated_market) -> None:
    history = simulated_market.history(Sample(date(2012, 1, 3), date(2016, 12, 30)))
    notes = STUDY.run(history, STUDY.parameters(**SHORT, spread="baa10y")).notes
    assert notes[0].startswith("baa10y (")
    assert "lower confidence" in notes[0]


@pytest.mark.real_data
def test_risk_off_on_the_real_market(real_market) -> None:
    """Since 2010 stress was followed by rebounds: the claim came true less often than the document trusts."""
    result = STUDY.run(real_market.history(Sample()), STUDY.parameters())
    row = result.tables["spread_monitor.confidence"].filter(asset="SPY", rule="risk_off", horizon=60).row(0, named=True)
    assert row["share"] < row["confidence"]
    assert row["episodes"] < 10
    longer = result.tables["spread_monitor.confidence"].filter(asset="^GSPC", rule="risk_off", horizon=60)
    assert longer["n"][0] > 500
    assert longer["low"][0] < longer["confidence"][0] < longer["high"][0]
