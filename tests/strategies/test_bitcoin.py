"""Bitcoin as a hedge and as a recovery trade: against the plain references, causal, and on published counts."""

from typing import Any

import numpy as np
import pytest

from engine.panel import PanelError
from engine.strategies.bitcoin_hedge import NORMAL, WITH_BITCOIN, vix_jumps
from tests.real_data import needs_real_data
from tests.references.bitcoin import bitcoin_hedge, bitcoin_recovery
from tests.strategies.agreement import Reference, agree_on_parameters, agree_on_shipped_grid, is_causal, path
from tests.strategies.panels import MARKETS, MarketPanel, real_panel, simulated_panel, without

REFERENCES = {"bitcoin_hedge": bitcoin_hedge, "bitcoin_recovery": bitcoin_recovery}

BOTH = pytest.mark.parametrize(("name", "reference"), REFERENCES.items(), ids=REFERENCES.keys())


def position(random: np.random.Generator) -> dict[str, Any]:
    return {
        "hyg_window": int(random.integers(2, 90)),
        "hyg_drawdown": float(random.uniform(-0.03, -0.001)),
        "hold_sessions": int(random.integers(1, 60)),
        "exposure_normal": float(random.uniform(0.5, 1.2)),
        "exposure_with_btc": float(random.uniform(0.5, 1.2)),
        "btc_share": float(random.uniform(0.0, 1.0)),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


def any_hedge(random: np.random.Generator) -> dict[str, Any]:
    fast = int(random.integers(2, 30))
    marks = [bool(number) for number in random.integers(2, size=2)]
    return {
        **position(random),
        "on_vix_jump": marks[0],
        "on_vix_trend": marks[1],
        "on_credit_stress": not any(marks),
        "vix_jump": float(random.uniform(0.02, 0.2)),
        "vix_fast": fast,
        "vix_slow": fast + int(random.integers(1, 60)),
        "vix_slope_lookback": int(random.integers(1, 12)),
        "flat_average_rises": bool(random.integers(2)),
    }


def any_recovery(random: np.random.Generator) -> dict[str, Any]:
    return {
        **position(random),
        "vix_z_window": int(random.integers(5, 90)),
        "vix_z": float(random.uniform(0.5, 2.5)),
        "breadth_declines": int(random.integers(4, 9)),
        "xlf_dma": int(random.integers(10, 250)),
        **{f"weight_{name}": float(random.choice([0.5, 1.0, 2.0])) for name in ("vix", "hyg", "breadth", "xlf")},
        "entry_score": float(random.choice([2.0, 3.0, 4.0])),
        "wait_for_resolution": bool(random.integers(2)),
        "resolved_score": float(random.choice([0.0, 1.0])),
        "wait_for_easing": bool(random.integers(2)),
        "easing_lookback": int(random.integers(1, 90)),
        "easing_change": float(random.uniform(-0.5, 0.0)),
    }


DRAWS = {"bitcoin_hedge": any_hedge, "bitcoin_recovery": any_recovery}


@BOTH
@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_the_shipped_grid(name: str, reference: Reference, market: MarketPanel) -> None:
    assert agree_on_shipped_grid(name, reference, market(), count=40, seed=51) == {0, NORMAL, WITH_BITCOIN}


@BOTH
@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_any_parameters(name: str, reference: Reference, market: MarketPanel) -> None:
    random = np.random.default_rng(52)
    seen = [agree_on_parameters(name, reference, market(), DRAWS[name](random)) for _ in range(15)]
    assert set.union(*seen) == {0, NORMAL, WITH_BITCOIN}


@pytest.mark.parametrize("market", MARKETS)
def test_is_causal(market: MarketPanel) -> None:
    marks = {"on_vix_jump": True, "on_vix_trend": True, "hold_sessions": 3}
    assert is_causal("bitcoin_hedge", market(), marks, cuts=10, seed=53)
    waits = {"wait_for_resolution": True, "wait_for_easing": True, "easing_change": -0.05, "entry_score": 3.0}
    assert is_causal("bitcoin_recovery", market(), waits, cuts=10, seed=54)


@needs_real_data
@pytest.mark.real_data
def test_published_count_of_vix_jumps() -> None:
    assert int(vix_jumps(real_panel(), 0.15).met.sum()) == 102


def test_a_hedge_of_one_session_is_held_while_stress_lasts() -> None:
    panel = simulated_panel()
    jumps = vix_jumps(panel, 0.15).met
    held = path("bitcoin_hedge", panel, {"on_vix_jump": True, "on_credit_stress": False})
    assert jumps.any()
    assert np.array_equal(held[1:] == WITH_BITCOIN, jumps[:-1])


def test_waiting_buys_later() -> None:
    panel = simulated_panel()
    at_once = np.flatnonzero(path("bitcoin_recovery", panel, {}) == WITH_BITCOIN)
    resolved = np.flatnonzero(path("bitcoin_recovery", panel, {"wait_for_resolution": True}) == WITH_BITCOIN)
    eased = path("bitcoin_recovery", panel, {"wait_for_resolution": True, "wait_for_easing": True}) == WITH_BITCOIN
    assert at_once[0] < resolved[0] < np.flatnonzero(eased)[0]


def test_the_bill_is_needed_only_where_easing_is_waited_for() -> None:
    panel = without(simulated_panel(), ["DTB3"])
    assert path("bitcoin_recovery", panel, {}).any()
    with pytest.raises(PanelError, match="series DTB3 is not in the store"):
        path("bitcoin_recovery", panel, {"wait_for_easing": True})
