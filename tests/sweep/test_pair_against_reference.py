"""The engine's sweep of the pair agrees with the plain reference: positions exactly, metrics to 1e-9."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.panel import Panel
from engine.sweep import Plan, load_grid, parse_grid, plan_from_panel
from tests.real_data import needs_real_data
from tests.sweep.pair_cases import assert_agrees, real_panel, simulated_panel

GRID = Path(__file__).parents[2] / "configs" / "pair.toml"

FULL_GRID_COMBINATIONS = 220
COMBINATIONS_A_GRID = 80

EVENTS = ("trade", "stop", "calm", "reclaim", "wait")


@dataclass(frozen=True)
class Case:
    panel: Callable[[], Panel]
    seed: int


MARKETS = [
    pytest.param(Case(simulated_panel, seed=11), id="simulated"),
    pytest.param(Case(real_panel, seed=12), id="real", marks=[needs_real_data, pytest.mark.real_data]),
]


def draw(plan: Plan, count: int, seed: int) -> NDArray[np.int64]:
    """Return random combinations of a grid that have a meaning, ascending."""
    combinations = np.arange(plan.grid.size)
    combinations = combinations[plan.is_feasible(combinations)]
    return np.sort(np.random.default_rng(seed).choice(combinations, count, replace=False))


def any_grid(random: np.random.Generator) -> dict[str, Any]:
    """Every parameter swept, over random values in and out of the documented ranges."""

    def lengths(low: int, high: int) -> list[int]:
        return [int(length) for length in random.choice(np.arange(low, high), 3, replace=False)]

    def fractions(low: float, high: float) -> list[float]:
        return [float(fraction) for fraction in random.uniform(low, high, 3)]

    shares = dict(zip(("XLE", "XLB", "XLU"), random.uniform(1.0, 100.0, 3).tolist(), strict=True))
    return {
        "strategy": {"name": "pair", "market_cap": {"date": "2026-05-03", **shares}},
        "grid": {
            "rearm": [True, False],
            "xlf_dma": lengths(10, 250),
            "vix_slow": lengths(20, 100),
            "hyg_reading": ["deeper", "shallower"],
            "stop_loss": fractions(-0.2, -0.005),
            "hyg_drawdown": fractions(-0.06, -0.001),
            "vix_fast": lengths(2, 30),
            "rebalance": ["entry", "daily"],
            "slope_lookback": lengths(1, 60),
            "basket_weights": ["market_cap", "equal"],
            "reclaim_sessions": lengths(1, 12),
            "hyg_window": lengths(2, 120),
        },
        "costs": {"commission_bps": random.uniform(0.0, 10.0), "slippage_bps": random.uniform(0.0, 30.0)},
    }


@pytest.mark.parametrize("case", MARKETS)
def test_random_combinations_of_the_shipped_grid(case: Case) -> None:
    plan = plan_from_panel(case.panel(), load_grid(GRID))
    combinations = draw(plan, FULL_GRID_COMBINATIONS, case.seed)
    happened = assert_agrees(plan, combinations)
    assert set(plan.parameters(combinations)["basket_weights"]) == {"equal", "market_cap"}
    assert min(happened[event] for event in EVENTS) >= 20, happened


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("case", MARKETS)
def test_random_combinations_of_all_parameters(case: Case, number: int) -> None:
    random = np.random.default_rng((case.seed, number))
    plan = plan_from_panel(case.panel(), parse_grid(any_grid(random)))
    happened = assert_agrees(plan, draw(plan, COMBINATIONS_A_GRID, case.seed))
    assert min(happened[event] for event in EVENTS) >= 10, happened
