"""The falsification test against plain loops and against histories whose verdict is known."""

import math
from statistics import fmean, stdev

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.inference import falsify
from engine.inference.falsification import FEWEST_ENTRIES

Floats = NDArray[np.float64]

DATES = np.arange("2001-01-01", 3000, dtype="datetime64[D]")
WINDOW = 252


def history(*means: float, seed: int = 1, length: int = 500) -> Floats:
    """Daily returns whose mean is one after the other, exactly."""
    noise = np.random.default_rng(seed).normal(0.0, 0.005, length)
    return np.concatenate([noise - noise.mean() + mean for mean in means])


def entries(length: int) -> NDArray[np.bool_]:
    taken = np.zeros(length, np.bool_)
    taken[:50:10] = True
    return taken


def test_by_plain_loops() -> None:
    excess, net = history(0.001, -0.002, 0.0005, seed=2), history(0.0008, -0.001, 0.0, seed=3)
    taken = entries(1500)
    result = falsify(excess, net, taken, DATES[:1500], window=WINDOW)
    signs: list[int] = []
    changes = []
    for t in range(1500):
        if t < WINDOW - 1:
            assert np.isnan(result.rolling_mean_excess[t])
            continue
        mean = 252 * fmean(excess[t - WINDOW + 1 : t + 1])
        last = net[t - WINDOW + 1 : t + 1].tolist()
        ratio = fmean(last) / stdev(last) * math.sqrt(252)
        assert result.rolling_mean_excess[t] == pytest.approx(mean, rel=1e-9, abs=1e-13)
        assert result.rolling_sharpe[t] == pytest.approx(ratio, rel=1e-9, abs=1e-11)
        assert result.broken[t] == (mean < 0 and ratio <= 0)
        if signs and signs[-1] != np.sign(mean):
            changes.append(DATES[t].item())
        signs.append(int(np.sign(mean)))
    assert result.sign_changes == tuple(changes)
    assert len(changes) >= 2
    assert result.mean_excess == pytest.approx(252 * excess.mean(), rel=1e-12)


def test_a_claim_that_stopped_working_is_broken_since_a_day() -> None:
    returns = history(0.002, -0.002)
    result = falsify(returns, returns, entries(1000), DATES[:1000], window=WINDOW)
    assert result.verdict == "broken"
    assert result.since is not None
    row = int(np.flatnonzero(np.datetime64(result.since) == DATES)[0])
    assert 500 < row < 500 + WINDOW
    assert result.broken[row:].all()
    assert not result.broken[row - 1]
    assert result.sign_changes[-1] == result.since


def test_a_claim_that_came_back_is_standing() -> None:
    returns = history(0.002, -0.002, 0.002)
    result = falsify(returns, returns, entries(1500), DATES[:1500], window=WINDOW)
    assert (result.verdict, result.since) == ("standing", None)
    assert result.broken.any()
    assert len(result.sign_changes) == 2


def test_a_lower_mean_than_the_market_s_does_not_break_what_pays() -> None:
    """Both conditions are needed: the document says *and*."""
    result = falsify(history(-0.001, -0.001), history(0.001, 0.001), entries(1000), DATES[:1000], window=WINDOW)
    assert result.verdict == "standing"
    assert result.rolling_mean_excess[-1] < 0 < result.rolling_sharpe[-1]


def test_a_claim_that_never_worked_is_broken_from_its_first_window() -> None:
    returns = history(-0.002, -0.002)
    result = falsify(returns, returns, entries(1000), DATES[:1000], window=WINDOW)
    assert result.since == DATES[WINDOW - 1].item()
    assert result.sign_changes == ()


@pytest.mark.parametrize("reason", ["short", "few", "idle", "empty"])
def test_not_enough_data(reason: str) -> None:
    length = {"short": WINDOW - 1, "empty": 0}.get(reason, 1000)
    returns = history(-0.002, -0.002)[:length]
    taken = entries(1000)[:length]
    if reason == "few":
        taken[np.flatnonzero(taken)[FEWEST_ENTRIES - 1]] = False
    if reason == "idle":
        returns = np.where(np.arange(1000) < 700, returns, 0.0)
    result = falsify(returns, returns, taken, DATES[:length], window=WINDOW)
    assert (result.verdict, result.since) == ("not enough data", None)


def test_a_verdict_knows_no_future() -> None:
    excess, net, taken = history(0.001, -0.001, seed=4), history(0.001, -0.001, seed=5), entries(1000)
    whole = falsify(excess, net, taken, DATES[:1000], window=WINDOW)
    for cut in (300, 640, 801):
        part = falsify(excess[:cut], net[:cut], taken[:cut], DATES[:cut], window=WINDOW)
        np.testing.assert_array_equal(part.rolling_mean_excess, whole.rolling_mean_excess[:cut])
        np.testing.assert_array_equal(part.broken, whole.broken[:cut])


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="of one length"):
        falsify(np.zeros(3), np.zeros(3), np.zeros(2, np.bool_), DATES[:3])
