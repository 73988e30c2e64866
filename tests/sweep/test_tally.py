"""Metrics of finished tallies: what cannot be computed is missing, and rounding is no risk."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import LEAST_RISK
from engine.sweep.tally import NO_RETURNS, add_return, return_metrics

RATIOS = ("sharpe", "return_to_vol", "sortino", "calmar", "hit_rate")


@jit
def compute(returns: NDArray[np.float64], trades: float, hits: float, sessions: int) -> Any:
    tally = NO_RETURNS
    for earned in returns:
        tally = add_return(tally, earned)
    return return_metrics(tally, trades, hits, sessions)


def metrics_of(returns: list[float], trades: float, hits: float, sessions: int) -> Any:
    return compute(np.array(returns, dtype=np.float64), trades, hits, sessions)


def test_without_trades_there_is_no_ratio() -> None:
    metrics = metrics_of([], 0.0, 0.0, 252)
    assert (metrics.total_return, metrics.cagr, metrics.volatility, metrics.max_drawdown) == (0.0, 0.0, 0.0, 0.0)
    assert all(math.isnan(getattr(metrics, name)) for name in RATIOS)


@pytest.mark.parametrize("noise", [0.0, 1e-17, -1e-16])
def test_rounding_is_no_risk(noise: float) -> None:
    """Prices that do not move leave a return of a last bit here and there, which differs between ways of adding."""
    metrics = metrics_of([0.0, noise, 0.0, 0.0], 1.0, 0.0, 4)
    assert all(math.isnan(getattr(metrics, name)) for name in RATIOS[:-1])
    assert metrics.hit_rate == 0.0


def test_the_least_risk_is_one() -> None:
    returns = [0.0, 1e-10, -1e-11, 2e-10]
    metrics = metrics_of(returns, 1.0, 1.0, 4)
    assert metrics.volatility > LEAST_RISK
    assert all(math.isfinite(getattr(metrics, name)) for name in RATIOS)


def test_ratios_by_hand() -> None:
    returns = [0.02, -0.01, 0.03, -0.02]
    metrics = metrics_of(returns, 2.0, 1.0, 4)
    mean = sum(returns) / 4
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 3)
    assert metrics.volatility == pytest.approx(deviation * math.sqrt(252), rel=1e-12)
    assert metrics.sharpe == pytest.approx(mean / deviation * math.sqrt(252), rel=1e-12)
    assert metrics.sortino == pytest.approx(mean * 252 / math.sqrt(252 * (0.01**2 + 0.02**2) / 4), rel=1e-12)
    assert metrics.max_drawdown == pytest.approx(-0.02, rel=1e-12)
    assert metrics.hit_rate == 0.5
