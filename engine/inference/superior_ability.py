"""Superior predictive ability: whether the best of all trials could be as good if none beat doing nothing.

Source: Hansen, "A Test for Superior Predictive Ability", Journal of Business & Economic Statistics 23(4), 2005: the
studentised test with the consistent recentring. Days are resampled in blocks of random length (Politis and Romano's
stationary bootstrap), by the library arch; their mean length is chosen by Politis and White's rule.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.inference.block_bootstrap import optimal_block_length

__all__ = ["SuperiorAbility", "superior_predictive_ability"]

RESAMPLES = 1000
SEED = 20050401


@dataclass(frozen=True)
class SuperiorAbility:
    """Result of the test.

    Attributes
    ----------
    p_value
        Probability of a best trial as good as the observed one if no trial earned more than nothing.
    block_length
        Mean length of the resampled blocks, in sessions.
    resamples, seed
        How often and from which seed days were resampled.
    trials
        Number of trials compared.
    """

    p_value: float
    block_length: float
    resamples: int
    seed: int
    trials: int


def superior_predictive_ability(
    returns: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = SEED
) -> SuperiorAbility | None:
    """Test all trials together against earning nothing.

    Parameters
    ----------
    returns
        Daily returns net of costs, float64 (sessions, trials). Trials without variance are left out.
    resamples, seed
        The seed is part of the result.

    Returns
    -------
    The result; None where no trial has any variance.
    """
    returns = returns[:, returns.std(axis=0) > 0.0]
    sessions, trials = returns.shape
    if trials == 0:
        return None
    means = returns.mean(axis=0)
    length = optimal_block_length(returns[:, int(np.argmax(means / returns.std(axis=0)))])
    resampled = _resampled_counts(sessions, length, resamples, seed) @ returns / sessions
    deviation = np.sqrt(sessions * ((resampled - means) ** 2).mean(axis=0))
    observed = max(0.0, float((np.sqrt(sessions) * means / deviation).max()))
    threshold = -deviation * np.sqrt(2.0 * np.log(np.log(sessions)) / sessions)
    recentred = resampled - np.where(means >= threshold, means, 0.0)
    best = np.maximum(0.0, (np.sqrt(sessions) * recentred / deviation).max(axis=1))
    return SuperiorAbility(float((best > observed).mean()), float(length), resamples, seed, trials)


def _resampled_counts(sessions: int, length: float, resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each session is drawn in each resample, float64 (resamples, sessions)."""
    from arch.bootstrap import StationaryBootstrap  # noqa: PLC0415 - slow to import

    bootstrap = StationaryBootstrap(length, np.arange(sessions), seed=np.random.default_rng(seed))
    draws = (positional[0] for positional, _ in bootstrap.bootstrap(resamples))
    return np.stack([np.bincount(draw, minlength=sessions) for draw in draws]).astype(np.float64)
