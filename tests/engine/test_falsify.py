"""Every claim put to the test: a strategy and a rule by plain loops, and what is said where it cannot be done."""

import json
import math
from statistics import fmean, stdev

import numpy as np
import pytest

from engine.credit import RULES, rule_fires
from engine.falsify import FalsifyError, claims, falsify_claims
from engine.panel import Panel, Sample, load_panel
from engine.strategies import find_strategy, strategy_names
from engine.sweep import Costs, grid_of_one, plan_from_panel, posture_paths, strategy_panel
from parquet_store import Store
from tests.conftest import Engine
from tests.references.accounting import Weights, keep_account

COSTS = Costs(commission_bps=3.0, slippage_bps=2.0)


def slowly(
    panel: Panel, rate: np.ndarray, weights: list[Weights], postures: list[int], market: str | None
) -> tuple[str, int, float, float]:
    """First day, positions taken, mean excess a year and Sharpe ratio over cash; `market` is None for cash itself."""
    days = panel.sample_dates.tolist()
    legs = {leg for row in weights for leg in row}
    closes = {leg: panel.values(leg)[panel.start :].tolist() for leg in legs | ({market} if market else set())}
    equity, _, _ = keep_account(closes, weights, postures, rebalance="daily", cost=0.0005)
    first = next(t for t, posture in enumerate(postures) if posture != 0)
    latest = math.nan
    excess, net = [], []
    for t in range(len(days)):
        earned = equity[t] / (equity[t - 1] if t else 1.0) - 1.0
        if t:
            price = 1.0 - latest / 100 * 91 / 360
            cash = 0.0 if math.isnan(latest) else price ** (-(days[t] - days[t - 1]).days / 91) - 1.0
            earned -= sum(weights[postures[t - 1]].values()) * cash
        if not math.isnan(rate[t]):
            latest = rate[t]
        if t >= first:
            net.append(earned)
            held = closes[market][t] / closes[market][t - 1] - 1.0 - cash if market and t else 0.0
            excess.append(earned - held)
    taken = sum(1 for t in range(first, len(days)) if postures[t] not in (0, postures[t - 1] if t else 0))
    return days[first].isoformat(), taken, 252 * fmean(excess), fmean(net) / stdev(net) * math.sqrt(252)


def test_a_strategy_by_plain_loops(simulated_store: Store) -> None:
    strategy = find_strategy("vix_regime")
    (tested,) = falsify_claims(simulated_store, ["vix_regime"], costs=COSTS).tested
    panel = strategy_panel(simulated_store, strategy, Sample())
    plan = plan_from_panel(panel, grid_of_one(strategy, {}, sample=Sample(), costs=COSTS))
    postures = posture_paths(plan, np.zeros(1, np.int64))[0].tolist()
    weights: list[Weights] = [{"SPY": exposure} for exposure in (0.0, 1.0, 0.5, 0.0)]
    rate = load_panel(simulated_store, ["DTB3", "SPY"], Sample(), complete=["SPY"]).values("DTB3")
    first, entries, mean, ratio = slowly(panel, rate, weights, postures, "SPY")
    result = tested.falsification
    assert result is not None
    assert (str(tested.first), result.entries, tested.over) == (first, entries, "SPY")
    assert result.mean_excess == pytest.approx(mean, rel=1e-8)
    assert result.sharpe == pytest.approx(ratio, rel=1e-8)


def test_a_rule_by_plain_loops(simulated_store: Store) -> None:
    """Short the market from the close after rule 1 fires, for 60 sessions after its last firing."""
    tested = next(each for each in falsify_claims(simulated_store, ["risk_off"], costs=COSTS).tested)
    strategy = find_strategy("credit_spreads_monitor")
    panel = strategy_panel(simulated_store, strategy, Sample())
    fires = rule_fires(panel, RULES[0], strategy.parameters().model_dump())[panel.start :]
    postures, left = [], 0
    for t in range(len(fires)):
        if t and fires[t - 1]:
            left = 60
        postures.append(1 if left > 0 else 0)
        left -= 1
    rate = load_panel(simulated_store, ["DTB3", "SPY"], Sample(), complete=["SPY"]).values("DTB3")
    first, entries, mean, ratio = slowly(panel, rate, [{"SPY": 0.0}, {"SPY": -1.0}], postures, None)
    result = tested.falsification
    assert result is not None
    assert (tested.claim.market, str(tested.first), result.entries, tested.over) == ("SPY", first, entries, "cash")
    assert result.mean_excess == pytest.approx(mean, rel=1e-8)
    assert result.sharpe == pytest.approx(ratio, rel=1e-8)


def test_all_claims_are_tested(simulated_store: Store) -> None:
    tests = falsify_claims(simulated_store)
    names = {tested.claim.name for tested in tests.tested}
    assert {rule.name for rule in RULES} <= names
    assert {tested.claim.strategy.name for tested in tests.tested if tested.claim.kind == "strategy"} == set(
        strategy_names()
    )
    assert {f"combined_credit_spread {model}" for model in ("hy", "cdx", "combined")} <= names
    assert [tested.claim for tested in tests.tested] == list(claims())
    verdicts = {tested.verdict for tested in tests.tested}
    assert verdicts <= {"standing", "broken", "not enough data", "no sign claimed"}
    assert all(tested.falsification is not None for tested in tests.tested)
    assert tests.panel.simulated
    assert all(tested.reason.startswith("SIMULATED data: ") for tested in tests.tested)
    neutral = next(tested for tested in tests.tested if tested.claim.name == "non_confirmation")
    assert neutral.verdict == "no sign claimed"
    pair = next(tested for tested in tests.tested if tested.claim.name == "pair")
    assert pair.over == "cash"


def test_higher_costs_never_help(simulated_store: Store) -> None:
    free, dear = (
        falsify_claims(simulated_store, ["vix_regime", "pair"], costs=Costs(commission_bps=bps)) for bps in (0.0, 50.0)
    )
    for cheap, expensive in zip(free.tested, dear.tested, strict=True):
        assert cheap.falsification is not None
        assert expensive.falsification is not None
        assert expensive.falsification.mean_excess < cheap.falsification.mean_excess  # type: ignore[operator]


def test_an_unknown_name_is_refused(simulated_store: Store) -> None:
    with pytest.raises(FalsifyError, match="no rule or strategy called 'luck': use one of risk_off"):
        falsify_claims(simulated_store, ["luck"])


def test_command(engine: Engine, simulated_store: Store) -> None:
    found = engine("falsify", "pair", "combined_credit_spread", "--format", "json", "--store", simulated_store.root)
    assert found.returncode == 0, found.stderr
    rows = json.loads(found.stdout)
    assert [row["name"] for row in rows] == [
        "combined_credit_spread hy",
        "combined_credit_spread cdx",
        "combined_credit_spread combined",
        "pair",
    ]
    assert "SIMULATED" in found.stderr
    kept = engine(
        "sql",
        "SELECT count(*) AS n FROM study_figures JOIN study_runs USING (run_id) WHERE study = 'falsify'",
        "--format",
        "json",
        "--store",
        simulated_store.root,
    )
    assert json.loads(kept.stdout)[0]["n"] >= 8
    refused = engine("falsify", "luck", "--store", simulated_store.root)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("engine: there is no rule or strategy called 'luck'")


def test_what_is_missing_is_said(tmp_path, engine: Engine) -> None:
    """A store with SPY alone: every claim that needs more says what, and nothing fails."""
    days = np.arange("2010-01-01", "2012-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    rows = [f"{day},{100 + k * 0.1:.1f}" for k, day in enumerate(days.tolist())]
    (tmp_path / "SPY.csv").write_text("\n".join(["Date,Adj Close", *rows]))
    store = tmp_path / "only"
    imported = engine("data", "import", tmp_path / "SPY.csv", "--as", "SPY", "--store", store)
    assert imported.returncode == 0, imported.stderr
    found = engine("falsify", "--format", "json", "--store", store)
    assert found.returncode == 0, found.stderr
    reasons = {row["name"]: (row["verdict"], row["reason"]) for row in json.loads(found.stdout)}
    assert all(verdict == "not enough data" for verdict, _ in reasons.values())
    assert "VIX not in the store" in reasons["vix_regime"][1]
