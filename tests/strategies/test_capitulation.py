"""The capitulation score and its levels: against the plain reference, causal, and with the published distribution."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.panel import Panel
from engine.strategies import read_condition
from engine.strategies.capitulation import (
    ACCUMULATING,
    CAPITULATION_COMPONENTS,
    HEDGED,
    HEDGED_WITH_PAIR,
    NORMAL,
    REDUCED,
    CapitulationParameters,
)
from tests.real_data import needs_real_data
from tests.references.capitulation import capitulation
from tests.references.pair import BASKET, Closes, Metrics
from tests.strategies.agreement import agree_on_parameters, agree_on_shipped_grid, is_causal, path
from tests.strategies.panels import MARKETS, MarketPanel, real_panel, simulated_panel

ALL_POSTURES = {0, NORMAL, REDUCED, HEDGED, HEDGED_WITH_PAIR, ACCUMULATING}

EXPOSED = {"exposure_hedged": -0.25}
"""So that every posture holds something and can be told from the others."""


def reference(
    closes: Mapping[str, Closes], *, basket_weights: str, market_cap: Mapping[str, Any] | None, **values: Any
) -> tuple[list[int], Metrics]:
    shares = (1.0, 1.0, 1.0)
    if basket_weights == "market_cap":
        assert market_cap is not None
        shares = tuple(market_cap[name] for name in BASKET)
    return capitulation(closes, basket_weights=shares, **values)


def any_parameters(random: np.random.Generator) -> dict[str, Any]:
    fast = int(random.integers(2, 30))
    levels = np.sort(random.choice(np.arange(1, 9), 3, replace=False)) / 2.0
    return {
        "vix_z_window": int(random.integers(5, 90)),
        "vix_z": float(random.uniform(0.5, 2.5)),
        "hyg_window": int(random.integers(2, 90)),
        "hyg_drawdown": float(random.uniform(-0.03, -0.001)),
        "breadth_window": 10,
        "breadth_declines": int(random.integers(4, 9)),
        "xlf_dma": int(random.integers(10, 250)),
        **{f"weight_{name}": float(random.choice([0.5, 1.0, 2.0])) for name in ("vix", "hyg", "breadth", "xlf")},
        **dict(zip(("reduce_score", "hedge_score", "accumulate_score"), levels.tolist(), strict=True)),
        "accumulate_sessions": int(random.integers(1, 60)),
        "pair_needs_entry": bool(random.integers(2)),
        "reduced_stop": float(random.choice([-1.0, random.uniform(-0.03, -0.001)])),
        "slope_lookback": int(random.integers(1, 40)),
        "vix_fast": fast,
        "vix_slow": fast + int(random.integers(1, 60)),
        "reclaim_sessions": int(random.integers(1, 10)),
        "hyg_reading": str(random.choice(["deeper", "shallower"])),
        "stop_loss": float(random.uniform(-0.15, -0.005)),
        "rearm": bool(random.integers(2)),
        "basket_weights": str(random.choice(["equal", "market_cap"])),
        "market_cap": {"date": "2026-05-03", "XLE": 40.0, "XLB": 6.0, "XLU": 25.0},
        "exposure_normal": float(random.uniform(0.5, 1.2)),
        "exposure_reduced": float(random.uniform(0.1, 0.5)),
        "exposure_hedged": float(random.uniform(-0.5, -0.1)),
        "pair_weight": float(random.uniform(0.2, 1.0)),
        "exposure_accumulate": float(random.uniform(0.5, 1.2)),
        "btc_share": float(random.uniform(0.0, 0.5)),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


def score(panel: Panel) -> NDArray[np.int64]:
    """Return the score at each close, with the document's numbers."""
    values = dict(CapitulationParameters())
    components = [read_condition(condition, panel, values).met for condition in CAPITULATION_COMPONENTS]
    return np.sum(components, axis=0)


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_the_shipped_grid(market: MarketPanel) -> None:
    seen = agree_on_shipped_grid("capitulation", reference, market(), count=30, seed=41)
    assert seen >= {0, NORMAL, REDUCED, HEDGED_WITH_PAIR, ACCUMULATING}


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_any_parameters(market: MarketPanel) -> None:
    random = np.random.default_rng(42)
    seen = [agree_on_parameters("capitulation", reference, market(), any_parameters(random)) for _ in range(20)]
    assert set.union(*seen) == ALL_POSTURES


@pytest.mark.parametrize("market", MARKETS)
def test_is_causal(market: MarketPanel) -> None:
    assert is_causal("capitulation", market(), {**EXPOSED, "reduced_stop": -0.02}, cuts=12, seed=43)


@needs_real_data
@pytest.mark.real_data
def test_published_distribution_of_the_score() -> None:
    counts = np.bincount(score(real_panel()), minlength=5)
    assert counts.sum() == 2055
    assert counts[4] == 26
    assert (100 * counts / counts.sum()).round(1).tolist() == [62.6, 21.3, 11.6, 3.3, 1.3]


@pytest.mark.parametrize("market", MARKETS)
def test_capitulation_is_answered_for_its_time(market: MarketPanel) -> None:
    panel = market()
    fired = score(panel) == 4
    held = path("capitulation", panel, {**EXPOSED, "accumulate_sessions": 30})
    expected = np.zeros(len(fired), np.bool_)
    for t in np.flatnonzero(fired):
        expected[t + 1 : t + 31] = True
    assert expected.any()
    assert np.array_equal(held == ACCUMULATING, expected)


@pytest.mark.parametrize("market", MARKETS)
def test_the_pair_starts_where_the_score_is_severe_and_its_own_conditions_hold(market: MarketPanel) -> None:
    panel = market()
    held = path("capitulation", panel, EXPOSED)
    alone = path("pair", panel, {})
    starts = np.flatnonzero((held[1:] == HEDGED_WITH_PAIR) & (held[:-1] != HEDGED_WITH_PAIR)) + 1
    assert len(starts) > 0
    assert (score(panel)[starts - 1] == 3).all()
    assert alone[starts].all()
    on_score_alone = path("capitulation", panel, {**EXPOSED, "pair_needs_entry": False})
    assert np.count_nonzero(on_score_alone == HEDGED_WITH_PAIR) > np.count_nonzero(held == HEDGED_WITH_PAIR)


def test_a_heavier_component_reaches_the_levels_sooner() -> None:
    panel = simulated_panel()
    equal, heavy = path("capitulation", panel, EXPOSED), path("capitulation", panel, {**EXPOSED, "weight_hyg": 2.0})
    assert np.count_nonzero(heavy == ACCUMULATING) > np.count_nonzero(equal == ACCUMULATING)
