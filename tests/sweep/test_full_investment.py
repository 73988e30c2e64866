"""vectorbt follows positions that take all of an account's cash, and more."""

import numpy as np
import pytest

from engine.sweep.accounting import account
from engine.sweep.plan import Market
from engine.sweep.vectorbt_backend import simulate

POSTURES = {"all of the cash": [1.0, 0.0], "twice the cash": [1.5, 0.5], "long and short": [1.2, -0.4]}


@pytest.mark.parametrize("daily", [True, False])
@pytest.mark.parametrize("held", POSTURES.values(), ids=POSTURES.keys())
def test_purchases_are_filled_in_full(held: list[float], daily: bool) -> None:
    random = np.random.default_rng(3)
    prices = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, (300, 2)), axis=0))
    market = Market(
        dates=np.arange("2020-01-01", "2020-10-27", dtype="datetime64[D]"),
        legs=("A", "B"),
        prices=prices,
        weights=np.array([[[0.0, 0.0], held, [0.5, 0.0], [-0.5, 1.0]]]),
        cost_rate=0.0025,
    )
    paths = np.repeat(random.integers(0, 4, (5, 60)), 5, axis=1).astype(np.int8)
    rows, rebalanced = np.zeros(5, np.int64), np.full(5, daily)
    expected, _ = account(market, paths, rows, rebalanced)
    np.testing.assert_allclose(simulate(market, paths, rows, rebalanced), expected, rtol=0, atol=1e-12)
