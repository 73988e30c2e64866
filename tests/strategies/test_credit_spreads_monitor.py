"""The credit spreads monitor: against its plain reference, causal, its edge cases, proxies and rules."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.credit import MEASURES, RULES, overlap, rule_fires, spread_in_basis_points, spread_metrics
from engine.credit.metrics import level_score, momentum_score, stress
from engine.credit.monitor_conditions import BREADTH_FUNDS, spread_is_stressed
from engine.panel import Panel, PanelError, Sample
from engine.strategies import depends_on, find_strategy
from engine.strategies.credit_spreads_monitor import BOUNCE, INVALIDATED, NORMAL, RISK_OFF, UNDEFINED
from engine.sweep import parse_grid, plan_from_panel, strategy_panel
from engine.sweep.plan import Plan
from engine.sweep.rules import trace_rule
from parquet_store import Store
from tests.references.accounting import Weights, carry_out, evaluate
from tests.references.credit_spreads_monitor import Monitor, Values, credit_spreads_monitor, percentile
from tests.references.pair import Closes, Metrics
from tests.strategies.agreement import agree_on_parameters, agree_on_shipped_grid, is_causal, single
from tests.strategies.credit_panels import known, recent, with_columns
from tests.strategies.panels import without

NAME = "credit_spreads_monitor"
DEFAULTS = dict(find_strategy(NAME).parameters())
EXPOSURES = ("exposure_normal", "exposure_risk_off", "exposure_bounce", "exposure_invalidated")


@pytest.fixture(scope="module")
def panel(market_store: Store) -> Panel:
    """Sessions from 2011 on, all of them in the sample."""
    whole = strategy_panel(market_store, find_strategy(NAME), Sample(first=date(2011, 1, 3)))
    assert set(BREADTH_FUNDS) <= set(whole.columns)
    return whole


def monitor(closes: dict[str, Closes], *, spread: str = "hy_oas", **values: Any) -> Monitor:
    series = {name: known(column) for name, column in closes.items()}
    measured = {
        "hy_oas": lambda: scaled(series["BAMLH0A0HYM2"]),
        "ig_oas": lambda: scaled(series["BAMLC0A0CM"]),
        "baa10y": lambda: scaled(series["BAA10Y"]),
        "baa_minus_dgs10": lambda: scaled(
            [None if a is None or b is None else a - b for a, b in zip(series["BAA"], series["DGS10"], strict=True)]
        ),
    }
    return credit_spreads_monitor(
        measured[spread](),
        scaled(series["BAMLC0A0CM"]),
        series["SPY"],
        series["VIX"],
        [series[name] for name in BREADTH_FUNDS],
        **{name: value for name, value in values.items() if name not in (*EXPOSURES, "rebalance", "cost")},
    )


def scaled(values: Values) -> Values:
    return [None if value is None else 100.0 * value for value in values]


def reference(closes: dict[str, Closes], **values: Any) -> tuple[list[int], Metrics]:
    wanted = monitor(closes, **values).wanted
    weights: list[Weights] = [{"SPY": exposure} for exposure in (0.0, *(values[name] for name in EXPOSURES))]
    rebalance, legs = values["rebalance"], {"SPY": closes["SPY"]}
    held = carry_out(lambda row, _: wanted[row], legs, weights, rebalance=rebalance)
    return held, evaluate(legs, weights, held, rebalance=rebalance, cost=values["cost"])


def any_parameters(random: np.random.Generator) -> dict[str, Any]:
    trigger = float(random.uniform(0.5, 2.0))
    return {
        "spread": str(random.choice(["hy_oas", "ig_oas", "baa10y", "baa_minus_dgs10"])),
        "lookback_years": 2,
        "short_lookback_years": 1,
        "level_weight": float(random.uniform(0.3, 1.0)),
        "winsor_share": float(random.choice([0.0, 0.01, 0.05])),
        "window_end": str(random.choice(["today", "yesterday"])),
        "short_history": str(random.choice(["percentile", "shorter_window"])),
        "top_share": float(random.uniform(0.05, 0.3)),
        "risk_off_score": trigger,
        "composite_score": float(random.uniform(0.5, 2.0)),
        "composite_trigger": bool(random.integers(2)),
        "exit_score": trigger - float(random.uniform(0.1, 1.0)),
        "bounce_score": trigger + float(random.uniform(-0.2, 0.3)),
        "bounce_drawdown": float(random.uniform(-0.06, -0.01)),
        "bounce_drawdown_window": int(random.integers(20, 80)),
        "bounce_sessions": int(random.integers(1, 30)),
        "invalidation": str(random.choice(["off", "at_trigger", "always"])),
        "ig_benign_score": float(random.uniform(0.5, 3.0)),
        "breadth_window": int(random.integers(20, 100)),
        "breadth_benign_share": float(random.uniform(0.0, 0.5)),
        "exposure_normal": float(random.uniform(0.8, 1.2)),
        "exposure_risk_off": float(random.uniform(-1.0, -0.1)),
        "exposure_bounce": float(random.uniform(0.2, 0.7)),
        "exposure_invalidated": float(random.uniform(0.5, 1.0)),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


def test_agrees_with_the_reference_on_the_shipped_grid(panel: Panel) -> None:
    seen = agree_on_shipped_grid(NAME, reference, recent(panel, 1600), count=4, seed=44)
    assert seen >= {UNDEFINED, NORMAL}


def test_agrees_with_the_reference_on_any_parameters(panel: Panel) -> None:
    random = np.random.default_rng(41)
    part = recent(panel, 1400)
    seen: set[int] = set()
    for _ in range(5):
        seen |= agree_on_parameters(NAME, reference, part, any_parameters(random))
    assert seen == {UNDEFINED, NORMAL, RISK_OFF, BOUNCE, INVALIDATED}


def test_agrees_where_values_are_missing(panel: Panel) -> None:
    random = np.random.default_rng(42)
    part = recent(panel, 1500)
    gap = random.random(1500) < 0.02
    gap[900:910] = True
    columns = {name: np.where(gap, np.nan, part.values(name)) for name in ("BAMLH0A0HYM2", "BAMLC0A0CM", "VIX")}
    gaps = with_columns(part, columns)
    for _ in range(2):
        parameters = {**any_parameters(random), "spread": "hy_oas"}
        assert INVALIDATED in agree_on_parameters(NAME, reference, gaps, parameters)
    assert set(trace_rule(single(NAME, gaps, parameters)).wanted[904:910]) == {INVALIDATED}
    assert gap[600:890].any()
    scores, unknown = level_score(gaps, "hy_oas", 2, 1, 0.1, "today"), np.isnan(gaps.values("BAMLH0A0HYM2"))
    np.testing.assert_array_equal(np.isnan(scores[600:900]), unknown[600:900])  # a day is a gap of one day


@pytest.mark.parametrize("window_end", ["today", "yesterday"])
def test_metrics_and_rules_agree_with_the_reference(panel: Panel, window_end: str) -> None:
    part = recent(panel, 1400)
    windows: dict[str, Any] = {"lookback_years": 3, "short_lookback_years": 2, "window_end": window_end}
    expected = monitor({name: tuple(values.tolist()) for name, values in part.columns.items()}, **windows)
    found = spread_metrics(part, "hy_oas", **windows)
    pairs = {
        "level_score": expected.level_score,
        "momentum_score": expected.momentum_score,
        "percentile_rank": expected.rank,
        "stress": expected.stress,
    }
    for name, values in pairs.items():
        ours, theirs = (np.array(column, np.float64) for column in (found[name].to_list(), values))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
        assert 600 < np.count_nonzero(~np.isnan(ours)) < 900
    level = found["level"].to_numpy()
    for sessions in (5, 20, 60):
        changes = found[f"change_{sessions}"].to_numpy()
        assert np.isnan(changes[:sessions]).all()
        np.testing.assert_array_equal(changes[sessions:], level[sessions:] - level[:-sessions])
    values = {**DEFAULTS, **windows}
    for rule in RULES:
        assert rule_fires(part, rule, values).tolist() == expected.rules[rule.name]


def test_is_causal(panel: Panel) -> None:
    parameters = {"invalidation": "always", "lookback_years": 2, "short_lookback_years": 1, "exposure_risk_off": -0.5}
    assert is_causal(NAME, recent(panel, 2000), parameters, cuts=4, seed=43)


@pytest.mark.parametrize("spread", ["hyg_lqd", "lqd_tlt"])
def test_relative_returns_stand_for_a_spread(panel: Panel, spread: str) -> None:
    riskier, safer = MEASURES[spread].inputs
    level = spread_in_basis_points(panel, spread)
    gained = np.log(panel.values(riskier)[100:] / panel.values(riskier)[:-100])
    gained -= np.log(panel.values(safer)[100:] / panel.values(safer)[:-100])
    np.testing.assert_allclose(level[100:] - level[:-100], -10_000.0 * gained, rtol=0, atol=1e-6)


def test_percentiles_mark_stress_while_the_history_is_short(panel: Panel) -> None:
    part = recent(panel, 1300)
    windows, limits = ("hy_oas", 5, 3, 0.1, "today"), (0.1, 1.5)
    reading = spread_is_stressed(part, *windows, "percentile", *limits)
    level = spread_in_basis_points(part, "hy_oas")
    first = int(np.flatnonzero(~np.isnan(level))[0])
    rank = np.array(percentile(known(tuple(level.tolist()[first:])), (1260, 756)), np.float64)
    short = slice(first + 755, first + 1259)
    np.testing.assert_array_equal(reading.value[short], rank[755:1259])
    assert set(reading.threshold[short]) == {0.9}
    assert set(reading.threshold[first + 1259 :]) == {1.5}
    np.testing.assert_array_equal(reading.value[first + 1259 :], level_score(part, *windows)[first + 1259 :])
    by_score = spread_is_stressed(part, *windows, "shorter_window", *limits)
    assert set(by_score.threshold) == {1.5}


def test_a_spread_that_stood_still_is_scored_by_percentiles(panel: Panel) -> None:
    part = recent(panel, 400)
    still = np.full(400, 3.5)
    still[-1] = 3.5001  # a hundredth of a basis point
    frozen = with_columns(part, {"BAMLH0A0HYM2": still})
    scores = level_score(frozen, "hy_oas", 1, 1, 0.1, "today")
    assert set(scores[251:-1]) == {0.0}
    assert 2.5 < scores[-1] < 3.0  # the highest of 252
    assert level_score(frozen, "hy_oas", 1, 1, 0.0, "today")[-1] > 15.0


def test_outliers_are_pulled_in_before_they_are_scored(panel: Panel) -> None:
    windows = (1, 1, 0.1, "today")
    spread = panel.values("BAMLH0A0HYM2").copy()
    spread[600] += 50.0
    spiked = with_columns(panel, {"BAMLH0A0HYM2": spread})
    after = slice(625, 800)
    loud = momentum_score(spiked, "hy_oas", *windows, 0.0)[after]
    clipped, undisturbed = (momentum_score(market, "hy_oas", *windows, 0.01)[after] for market in (spiked, panel))
    assert np.abs(clipped - undisturbed).mean() < 0.5 * np.abs(loud - undisturbed).mean()


def test_the_composite_weighs_level_and_momentum(panel: Panel) -> None:
    windows = ("hy_oas", 2, 1, 0.1, "today")
    level, momentum = level_score(panel, *windows), momentum_score(panel, *windows, 0.01)
    np.testing.assert_allclose(stress(panel, *windows, 0.01, 0.7), 0.7 * level + 0.3 * momentum, rtol=0, atol=1e-12)


def notes_of(plan: Plan) -> list[str]:
    return [text for text in plan.notes.rows.tolist() if text]


def test_a_proxy_is_read_only_when_asked_for_and_is_said(panel: Panel) -> None:
    assert notes_of(single(NAME, panel, {})) == []
    (note,) = notes_of(single(NAME, panel, {"spread": "baa10y"}))
    assert note.startswith("baa10y (Moody's Baa yield of the day less the 10-year Treasury yield) stands in for")
    assert "lower confidence" in note
    common = overlap(panel, "baa10y")
    assert common is not None
    assert f"on {common.sessions:,} common sessions" in note
    assert 0.5 < common.levels < 1.0

    blind = without(panel, ["BAMLH0A0HYM2"])
    with pytest.raises(PanelError, match=r"BAMLH0A0HYM2, for spread = 'hy_oas', is not in the store: .* ig_oas, baa"):
        single(NAME, blind, {})
    (note,) = notes_of(single(NAME, blind, {"spread": "lqd_tlt"}))
    assert note.endswith("there is no high-yield OAS on these sessions to compare it with")


def test_invalidation_reads_its_series_only_when_it_is_on(panel: Panel) -> None:
    bare = without(panel, ["BAMLC0A0CM", *BREADTH_FUNDS])
    with pytest.raises(PanelError, match="series BAMLC0A0CM"):
        single(NAME, bare, {})
    path = trace_rule(single(NAME, bare, {"invalidation": "off"})).wanted
    assert np.array_equal(path, trace_rule(single(NAME, panel, {"invalidation": "off"})).wanted)


def test_rules_are_complete_and_read_parameters_of_the_strategy() -> None:
    assert [(rule.name, rule.confidence, rule.horizons) for rule in RULES] == [
        ("risk_off", 0.67, (20, 60)),
        ("reflexive_bounce", 0.58, (5, 20)),
        ("non_confirmation", 0.55, None),
    ]
    read = {condition.read for condition in find_strategy(NAME).conditions}
    for rule in RULES:
        assert set(rule.conditions) <= read
        assert rule.universe
        assert rule.failure_modes
        assert all(name in DEFAULTS for condition in rule.conditions for name in depends_on(condition))


def test_a_bounce_lasts_its_sessions_and_risk_off_follows(panel: Panel) -> None:
    parameters = {"bounce_sessions": 7, "invalidation": "off", "lookback_years": 2, "short_lookback_years": 1}
    wanted = trace_rule(single(NAME, panel, parameters)).wanted
    changes = np.flatnonzero(np.diff(wanted)) + 1
    starts = [row for row in changes if wanted[row] == BOUNCE]
    assert starts
    for row in starts:
        assert wanted[row - 1] == RISK_OFF
        following = wanted[row : row + 7]
        assert (following == BOUNCE).all() or NORMAL in following
    assert BOUNCE not in trace_rule(single(NAME, panel, {**parameters, "bounce_sessions": 0})).wanted


@pytest.mark.real_data
def test_regimes_of_known_crises(real_store: Store) -> None:
    sample = {"first": date(2010, 1, 4), "warmup": "before"}
    panel = strategy_panel(real_store, find_strategy(NAME), Sample(date(2010, 1, 4), None, "before"))
    plan = plan_from_panel(panel, parse_grid({"strategy": {"name": NAME}, "sample": sample}))
    wanted = trace_rule(plan).wanted
    assert UNDEFINED not in wanted
    stressed = plan.market.dates[np.isin(wanted, (RISK_OFF, BOUNCE))]
    assert {str(day)[:4] for day in stressed} == {"2015", "2016", "2020", "2022"}
    assert str(stressed[stressed >= np.datetime64("2020-01-01")][0]) == "2020-03-10"
