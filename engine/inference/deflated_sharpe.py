"""The deflated Sharpe ratio: how the best of many trials stands against the best of as many without skill.

Source: Bailey and López de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from engine.metrics import SESSIONS_A_YEAR

__all__ = ["DeflatedSharpe", "deflated_sharpe"]

EULER = 0.5772156649015329


@dataclass(frozen=True)
class DeflatedSharpe:
    """How a Sharpe ratio stands against chance.

    Attributes
    ----------
    sharpe
        Of the trial, annualised.
    expected_maximum
        Annualised Sharpe ratio to be expected of the best of ``trials`` without skill.
    probability
        The deflated Sharpe ratio: the probability that the true Sharpe ratio exceeds the expected maximum, given the
        length, skewness and kurtosis of the returns.
    trials
        Number of trials counted.
    """

    sharpe: float
    expected_maximum: float
    probability: float
    trials: int


def deflated_sharpe(
    returns: NDArray[np.float64], sharpes: NDArray[np.float64], *, trials: int
) -> DeflatedSharpe | None:
    """Deflate the Sharpe ratio of one trial.

    Parameters
    ----------
    returns
        Daily returns of the trial, float64 (sessions,).
    sharpes
        Annualised Sharpe ratios of all trials of the sweep; their variance measures how different the trials are.
    trials
        Number of trials that the one was chosen from, those of earlier sweeps included.

    Returns
    -------
    The result; None where it is undefined (fewer than two trials, or returns without variance).
    """
    sharpes = sharpes[np.isfinite(sharpes)]
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    if trials < 2 or len(sharpes) < 2 or deviation == 0.0:
        return None
    sharpe = returns.mean() / deviation
    spread = sharpes.std(ddof=1) / math.sqrt(SESSIONS_A_YEAR)
    normal = NormalDist()
    maximum = spread * (
        (1.0 - EULER) * normal.inv_cdf(1.0 - 1.0 / trials) + EULER * normal.inv_cdf(1.0 - 1.0 / (trials * math.e))
    )
    standard = (returns - returns.mean()) / returns.std(ddof=0)
    skewness, kurtosis = (standard**3).mean(), (standard**4).mean()
    width = math.sqrt(max(1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2, 0.0))
    probability = normal.cdf((sharpe - maximum) * math.sqrt(len(returns) - 1) / width) if width > 0.0 else math.nan
    year = math.sqrt(SESSIONS_A_YEAR)
    return DeflatedSharpe(float(sharpe * year), float(maximum * year), probability, trials)
