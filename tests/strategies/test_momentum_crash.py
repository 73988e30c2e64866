"""The momentum-crash classifier: against its plain reference, causal, and on the weeks that the document publishes."""

from typing import Any

import numpy as np
import pytest

from engine.strategies.momentum_crash import (
    HEDGED_LIQUIDATION,
    LIQUIDATION,
    NORMAL,
    ROTATION,
    hyg_falls,
    hyg_is_stable,
    momentum_crashes,
)
from kernels.runs import run_table
from tests.real_data import needs_real_data
from tests.references.momentum_crash import momentum_crash
from tests.strategies.agreement import agree_on_parameters, agree_on_shipped_grid, is_causal, path
from tests.strategies.panels import MARKETS, MarketPanel, real_panel, simulated_panel

WORST_WEEKS = {
    "2021-03-08": -0.0547,
    "2020-03-30": -0.0420,
    "2022-04-11": -0.0418,
    "2020-09-08": -0.0395,
    "2021-02-25": -0.0386,
    "2024-07-17": -0.0347,
    "2020-11-13": -0.0346,
    "2022-05-11": -0.0319,
}


def any_parameters(random: np.random.Generator) -> dict[str, Any]:
    fast = int(random.integers(2, 30))
    return {
        "spread_window": int(random.integers(1, 10)),
        "crash_spread": float(random.uniform(-0.03, -0.005)),
        "spread_reading": str(random.choice(["sum", "compound"])),
        "hyg_window": int(random.integers(2, 60)),
        "hyg_drawdown": float(random.uniform(-0.02, -0.002)),
        "vix_fast": fast,
        "vix_slow": fast + int(random.integers(1, 60)),
        "vix_slope_lookback": int(random.integers(1, 12)),
        "flat_average_rises": bool(random.integers(2)),
        "vix_floor_window": int(random.integers(2, 40)),
        "liquidation_vix_score": int(random.integers(0, 3)),
        "hedge_score": int(random.integers(0, 4)),
        "liquidation_sessions": int(random.integers(1, 60)),
        "rotation_sessions": int(random.integers(1, 40)),
        "exposure_normal": float(random.uniform(0.5, 1.5)),
        "exposure_liquidation": float(random.uniform(-0.5, 0.5)),
        "hedge": str(random.choice(["short_qqq", "long_tlt"])),
        "hedge_weight": float(random.uniform(0.1, 0.5)),
        "rotation_position": str(random.choice(["basket", "pair"])),
        "rotation_share": float(random.uniform(0.1, 1.0)),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_the_shipped_grid(market: MarketPanel) -> None:
    seen = agree_on_shipped_grid("momentum_crash", momentum_crash, market(), count=30, seed=31)
    assert seen == {0, NORMAL, LIQUIDATION, HEDGED_LIQUIDATION, ROTATION}


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_any_parameters(market: MarketPanel) -> None:
    random = np.random.default_rng(32)
    seen = [agree_on_parameters("momentum_crash", momentum_crash, market(), any_parameters(random)) for _ in range(15)]
    assert set.union(*seen) == {0, NORMAL, LIQUIDATION, HEDGED_LIQUIDATION, ROTATION}


@pytest.mark.parametrize("market", MARKETS)
def test_is_causal(market: MarketPanel) -> None:
    assert is_causal("momentum_crash", market(), {}, cuts=12, seed=33)
    assert is_causal("momentum_crash", market(), {"spread_reading": "compound"}, cuts=4, seed=34)


@needs_real_data
@pytest.mark.real_data
def test_published_worst_weeks_are_crashes() -> None:
    panel = real_panel()
    crash = momentum_crashes(panel, 5, -0.025, "sum")
    rows = np.searchsorted(panel.dates, np.array(list(WORST_WEEKS), "datetime64[D]"))
    np.testing.assert_allclose(crash.value[rows], list(WORST_WEEKS.values()), rtol=0, atol=5e-5)
    assert crash.met[rows].all()


@needs_real_data
@pytest.mark.real_data
def test_spring_2022_is_a_liquidation_and_winter_2021_a_rotation() -> None:
    panel = real_panel()
    held = dict(zip(panel.dates.astype(str), path("momentum_crash", panel, {}).tolist(), strict=True))
    assert held["2022-05-16"] in (LIQUIDATION, HEDGED_LIQUIDATION)
    assert held["2021-03-10"] == ROTATION


def test_every_crash_has_one_type_once_hyg_has_a_high() -> None:
    panel = simulated_panel()
    falls, stable = hyg_falls(panel, 20, -0.03).met, hyg_is_stable(panel, 20, -0.03).met
    assert not (falls | stable)[:19].any()
    assert (falls ^ stable)[19:].all()


def test_holdings_last_their_recovery_time_after_the_last_crash() -> None:
    panel, times = simulated_panel(), {LIQUIDATION: 70, ROTATION: 11}
    crash = momentum_crashes(panel, 5, -0.025, "sum").met
    falls = hyg_falls(panel, 20, -0.03).met
    decided = {LIQUIDATION: crash & falls, ROTATION: crash & ~falls}
    names = {"liquidation_sessions": times[LIQUIDATION], "rotation_sessions": times[ROTATION]}
    held = path("momentum_crash", panel, names)
    runs = run_table(np.where(held == HEDGED_LIQUIDATION, LIQUIDATION, held).astype(np.int64))
    ended = np.flatnonzero(np.isin(runs.state[:-1], list(times)) & (runs.state[1:] == NORMAL))
    assert set(runs.state[ended].tolist()) == set(times)
    for k in ended.tolist():
        kind, end = int(runs.state[k]), int(runs.start[k] + runs.length[k])
        last_crash = end - 1 - times[kind]
        assert decided[kind][last_crash]
        assert not decided[kind][last_crash + 1 : end].any()
