"""The VIX regime: against its plain reference, causal, and on the dates that the document publishes."""

from typing import Any

import numpy as np
import pytest

from engine.strategies.vix_regime import (
    DEFENSIVE,
    NORMAL,
    floor_rises,
    regime_trends,
)
from kernels.runs import run_table
from tests.real_data import needs_real_data
from tests.references.vix_regime import vix_regime
from tests.strategies.agreement import agree_on_parameters, agree_on_shipped_grid, is_causal, path
from tests.strategies.panels import MARKETS, MarketPanel, real_panel, simulated_panel

PUBLISHED_REGIMES = {
    ("2020-02-21", "2020-04-07", 33),
    ("2022-09-19", "2022-10-24", 26),
    ("2025-10-03", "2025-11-10", 27),
    ("2023-10-02", "2023-11-01", 23),
    ("2018-10-09", "2018-11-07", 22),
    ("2026-02-12", "2026-03-06", 16),
}


def any_parameters(random: np.random.Generator) -> dict[str, Any]:
    fast = int(random.integers(2, 30))
    return {
        "vix_fast": fast,
        "vix_slow": fast + int(random.integers(1, 60)),
        "vix_slope_lookback": int(random.integers(1, 12)),
        "flat_average_rises": bool(random.integers(2)),
        "vix_floor_window": int(random.integers(2, 40)),
        "floor_exit_sessions": int(random.integers(1, 20)),
        "bollinger_window": int(random.integers(2, 40)),
        "bollinger_width": float(random.uniform(0.5, 2.5)),
        "exposure_normal": float(random.uniform(0.5, 1.5)),
        "exposure_caution": float(random.uniform(0.1, 0.9)),
        "exposure_defensive": float(random.uniform(-1.0, -0.1)),
        "latch_score": int(random.integers(1, 4)),
        "rearm": bool(random.integers(2)),
        "caution_stop": float(random.choice([-1.0, random.uniform(-0.05, -0.001)])),
        "rebalance": str(random.choice(["daily", "entry"])),
    }


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_the_shipped_grid(market: MarketPanel) -> None:
    seen = agree_on_shipped_grid("vix_regime", vix_regime, market(), count=40, seed=21)
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("market", MARKETS)
def test_agrees_with_the_reference_on_any_parameters(market: MarketPanel) -> None:
    random = np.random.default_rng(22)
    seen = [agree_on_parameters("vix_regime", vix_regime, market(), any_parameters(random)) for _ in range(15)]
    assert all(postures == {0, 1, 2, 3} for postures in seen)


@pytest.mark.parametrize("market", MARKETS)
def test_is_causal(market: MarketPanel) -> None:
    assert is_causal("vix_regime", market(), {"caution_stop": -0.02, "exposure_defensive": -0.5}, cuts=12, seed=23)


@needs_real_data
@pytest.mark.real_data
@pytest.mark.parametrize(("flat_average_rises", "days"), [(True, 487), (False, 486)])
def test_published_regimes(flat_average_rises: bool, days: int) -> None:
    panel = real_panel()
    trends = regime_trends(panel, 20, 50, 5, flat_average_rises).met
    assert int(trends.sum()) == days
    runs = run_table(trends)
    long = [k for k in range(len(runs.start)) if runs.state[k] and runs.length[k] >= 10]
    assert len(long) == 22
    dates = panel.dates.astype(str)
    found = {(dates[runs.start[k]], dates[runs.start[k] + runs.length[k] - 1], int(runs.length[k])) for k in long}
    assert found >= PUBLISHED_REGIMES


@needs_real_data
@pytest.mark.real_data
def test_one_close_is_decided_by_an_average_that_stands_still() -> None:
    panel = real_panel()
    differ = regime_trends(panel, 20, 50, 5, True).met != regime_trends(panel, 20, 50, 5, False).met
    assert panel.dates[differ].astype(str).tolist() == ["2024-02-05"]
    cents = np.round(panel.values("VIX") * 100).astype(int)
    t = int(np.flatnonzero(differ)[0])
    assert cents[t - 49 : t + 1].sum() == cents[t - 54 : t - 4].sum()


def test_the_score_is_the_trend_plus_the_floor() -> None:
    panel = simulated_panel()
    score = regime_trends(panel, 20, 50, 5, True).met.astype(int) + floor_rises(panel, 20, 5).met
    held = path("vix_regime", panel, {"latch_score": 3, "exposure_defensive": -1.0})
    assert held[1:].tolist() == (NORMAL + score)[:-1].tolist()


def test_the_defence_outlives_its_score() -> None:
    panel = simulated_panel()
    latched = path("vix_regime", panel, {"exposure_defensive": -1.0})
    scored = path("vix_regime", panel, {"exposure_defensive": -1.0, "latch_score": 3})
    assert np.count_nonzero((latched == DEFENSIVE) & (scored != DEFENSIVE)) > 50
    assert np.count_nonzero((latched != DEFENSIVE) & (scored == DEFENSIVE)) > 0  # an exit while the score is still 2
