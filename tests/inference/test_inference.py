import math
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.inference import (
    deflated_sharpe,
    probability_of_overfitting,
    superior_predictive_ability,
    walk_forward,
)

Floats = NDArray[np.float64]


def noise(trials: int, sessions: int = 1500, *, seed: int = 1, skill: float = 0.0) -> Floats:
    """Daily returns without skill, but for the first trial, whose annualised Sharpe ratio is about ``skill``."""
    returns = np.random.default_rng(seed).standard_t(5, (sessions, trials)) * 0.01
    returns -= returns.mean(axis=0)
    returns[:, 0] += skill * returns[:, 0].std() / math.sqrt(252)
    return returns


def sharpes(returns: Floats) -> Floats:
    ratios: Floats = returns.mean(axis=0) / returns.std(axis=0, ddof=1) * math.sqrt(252)
    return ratios


def test_deflated_sharpe_agrees_with_vectorbt() -> None:
    import pandas as pd
    import vectorbt as vbt  # noqa: F401 - registers the accessor

    returns = np.random.default_rng(3).standard_t(4, (800, 40)) * 0.01
    index = pd.bdate_range("2020-01-01", periods=800)
    accessor = pd.DataFrame(returns, index=index).vbt.returns(freq="1D", year_freq="252 days")
    expected = accessor.deflated_sharpe_ratio(ddof=1, var_sharpe=float(np.var(sharpes(returns), ddof=1)))
    for column in range(5):
        result = deflated_sharpe(returns[:, column], sharpes(returns), trials=40)
        assert result is not None
        assert result.probability == pytest.approx(float(expected.iloc[column]), abs=1e-12)
        assert result.sharpe == pytest.approx(sharpes(returns)[column], rel=1e-12)


def test_more_trials_make_the_same_sharpe_ratio_worth_less() -> None:
    returns = np.random.default_rng(5).normal(0.0005, 0.01, (1500, 30))
    worth = [deflated_sharpe(returns[:, 0], sharpes(returns), trials=n) for n in (30, 300, 3000)]
    assert all(result is not None for result in worth)
    probabilities = [result.probability for result in worth if result is not None]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == 3


def test_deflated_sharpe_is_undefined_without_trials_or_movement() -> None:
    returns = noise(3)
    assert deflated_sharpe(returns[:, 0], sharpes(returns), trials=1) is None
    assert deflated_sharpe(np.zeros(100), sharpes(returns), trials=3) is None


def test_overfitting_is_certain_to_be_a_coin_toss_on_noise_and_rare_with_skill() -> None:
    tosses = [probability_of_overfitting(np.random.default_rng(seed).normal(0, 0.01, (960, 60))) for seed in range(12)]
    mean = np.mean([result.probability for result in tosses if result is not None])
    assert 0.35 < mean < 0.65
    skilled = probability_of_overfitting(noise(60, skill=3.0))
    assert skilled is not None
    assert skilled.probability < 0.02
    assert (skilled.splits, skilled.trials) == (math.comb(16, 8), 60)


def test_overfitting_by_hand() -> None:
    """Two trials, each best in one half: whichever is chosen is the worse one in the other half of a pure split."""
    good, bad = np.tile([0.02, 0.01], 20), np.tile([-0.01, 0.0], 20)
    returns = np.column_stack([np.concatenate([good, bad]), np.concatenate([bad, good])])
    result = probability_of_overfitting(returns, blocks=2)
    assert result is not None
    assert result.probability == 1.0
    assert result.splits == 2


def test_overfitting_draws_among_trials_that_are_equal_in_a_half() -> None:
    """Chosen in the half where they are equal: the good one or the bad one. Chosen in the other: a tie, thus below."""
    same, good, bad = np.tile([0.01, -0.01], 20), np.tile([0.02, 0.01], 20), np.tile([-0.01, 0.0], 20)
    returns = np.column_stack([np.concatenate([same, good]), np.concatenate([same, bad])])
    for columns in ([0, 1], [1, 0]):
        result = probability_of_overfitting(returns[:, columns], blocks=2)
        assert result is not None
        assert result.probability == 0.75


def test_overfitting_needs_two_trials_and_enough_sessions() -> None:
    assert probability_of_overfitting(noise(1)) is None
    assert probability_of_overfitting(noise(5, sessions=31)) is None


def test_superior_ability_agrees_with_arch() -> None:
    from arch.bootstrap import SPA

    returns = noise(25, seed=8, skill=1.2)
    ours = superior_predictive_ability(returns, resamples=2000)
    assert ours is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spa = SPA(np.zeros(len(returns)), -returns, block_size=max(1, round(ours.block_length)), reps=2000, seed=4)
        spa.compute()
    assert ours.p_value == pytest.approx(float(spa.pvalues["consistent"]), abs=0.05)


def test_superior_ability_finds_skill_and_only_skill() -> None:
    skilled = superior_predictive_ability(noise(25, skill=2.5))
    assert skilled is not None
    assert skilled.p_value < 0.01
    chance = superior_predictive_ability(np.random.default_rng(2).normal(0, 0.01, (1000, 25)))
    assert chance is not None
    assert chance.p_value > 0.05
    assert superior_predictive_ability(np.zeros((100, 3))) is None


def test_superior_ability_is_reproducible_from_its_seed() -> None:
    returns = noise(10, skill=1.0)
    results = [superior_predictive_ability(returns, seed=seed) for seed in (1, 1, 2, 3, 4)]
    assert results[0] == results[1]
    assert len({result.p_value for result in results if result is not None}) > 1


def test_walk_forward_chooses_by_the_past_alone() -> None:
    returns = noise(6, sessions=1260)
    returns[:756, 2] += 0.01
    returns[756:, 2] -= 0.01
    dates = np.arange("2015-01-01", 1260, dtype="datetime64[D]")
    result = walk_forward(returns, dates)
    assert result is not None
    first = result.windows.row(0, named=True)
    assert first["trial"] == 2
    assert first["training_sharpe"] > 5
    assert first["total_return"] < 0
    expected = np.prod(1 + returns[756:1008, 2]) - 1
    assert first["total_return"] == pytest.approx(expected, rel=1e-12)
    assert result.windows["first"].to_list()[1] == dates[1008].astype(object)
    changed = returns.copy()
    changed[1008:] += 1.0
    again = walk_forward(changed, dates)
    assert again is not None
    assert again.windows.row(0) == result.windows.row(0)
    assert again.windows["trial"][1] == result.windows["trial"][1]


def test_walk_forward_needs_more_than_one_training_window() -> None:
    dates = np.arange("2015-01-01", 756, dtype="datetime64[D]")
    assert walk_forward(noise(3, sessions=756), dates) is None
