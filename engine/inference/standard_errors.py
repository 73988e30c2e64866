"""Standard errors of the mean return of an event, where returns overlap or follow one another.

All work in calendar rows: residuals are 0 where the event does not hold, so that two events are as far apart in the
sums as they are in time.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from engine.inference.episodes import effective_observations, lagged_products

__all__ = [
    "hansen_hodrick",
    "newey_west",
    "newey_west_lags",
    "richardson_smith",
    "student_t_p_value",
    "student_t_quantile",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EPSILON = 1e-16
MOST_STEPS = 10_000


def hansen_hodrick(returns: Floats, events: Flags, horizon: int) -> float | None:
    """Standard error of the events' mean forward return, with the covariance of overlapping returns estimated.

    sqrt(sum of u_i u_j over all pairs of events less than h rows apart) / n, where u is a return less the mean. No
    small-sample factor. The covariances of different lags count alike, so that the sum may be negative.

    Source: Hansen and Hodrick, "Forward Exchange Rates as Optimal Predictors of Future Spot Rates", Journal of
    Political Economy 88(5), 1980.

    Parameters
    ----------
    returns
        Forward return of each row, float64 (rows,); not NaN where an event is.
    events
        bool (rows,).
    horizon
        Rows of a forward return.

    Returns
    -------
    The standard error; None where the sum is not positive.
    """
    return _from_covariances(returns, events, np.ones(horizon))


def newey_west(returns: Floats, events: Flags, lags: int) -> float | None:
    """Standard error of the events' mean return, with weights that fall with the lag: 1 - k / (lags + 1).

    Source: Newey and West, "A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent
    Covariance Matrix", Econometrica 55(3), 1987. Parameters as in `hansen_hodrick`.
    """
    return _from_covariances(returns, events, 1.0 - np.arange(lags + 1) / (lags + 1.0))


def newey_west_lags(rows: int) -> int:
    """Rule of thumb for the number of lags: the integer part of 4 (rows / 100) ** (2/9).

    Source: Newey and West, "Automatic Lag Selection in Covariance Matrix Estimation", Review of Economic Studies 61(4),
    1994.
    """
    return int(4.0 * (rows / 100.0) ** (2.0 / 9.0))


def richardson_smith(returns: Floats, events: Flags, horizon: int) -> float | None:
    """Standard error of the events' mean forward return, with the correlation that overlap alone makes.

    sqrt(v / n_eff) with n_eff of `effective_observations` and v = (sum of u² / n) / (1 - 1/n_eff), the variance that is
    unbiased under that correlation. With returns that do not overlap it is the usual standard error of a mean. Unlike
    an estimated covariance it does not shrink to nothing where there are few episodes.

    Source: see `effective_observations`. Parameters as in `hansen_hodrick`.

    Returns
    -------
    The standard error; None with fewer than two effective observations or without variance.
    """
    effective = effective_observations(events, horizon)
    residuals = _residuals(returns, events)
    if effective < 2.0 or residuals is None:
        return None
    variance = float(residuals @ residuals) / int(np.count_nonzero(events)) / (1.0 - 1.0 / effective)
    return math.sqrt(variance / effective)


def student_t_p_value(statistic: float, degrees: float) -> float:
    """Probability that Student's t with some degrees of freedom, whole or not, is as far from 0 as ``statistic``.

    It is the regularised incomplete beta function I_x(degrees / 2, 1/2) at x = degrees / (degrees + statistic²), here
    by its continued fraction (Abramowitz and Stegun, 26.5.8 and 26.7.1).
    """
    a, b = degrees / 2.0, 0.5
    x = degrees / (degrees + statistic * statistic)
    if x >= 1.0:
        return 1.0
    if x <= 0.0:
        return 0.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def student_t_quantile(degrees: float, confidence: float) -> float:
    """Return the value that Student's t stays within, on either side of 0, with probability ``confidence``.

    Newton's method from the normal quantile, which lies below: the p-value falls ever more slowly, so that no step
    goes too far.
    """
    quantile = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    scale = math.exp(math.lgamma((degrees + 1.0) / 2.0) - math.lgamma(degrees / 2.0)) / math.sqrt(degrees * math.pi)
    for _ in range(MOST_STEPS):
        density = scale * (1.0 + quantile * quantile / degrees) ** (-(degrees + 1.0) / 2.0)
        step = (student_t_p_value(quantile, degrees) - (1.0 - confidence)) / (2.0 * density)
        quantile += step
        if abs(step) <= 1e-12 * quantile:
            break
    return quantile


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            value *= c * d
        if abs(c * d - 1.0) < EPSILON:
            break
    return value


def _residuals(returns: Floats, events: Flags) -> Floats | None:
    """Return less the events' mean where the event holds, 0 elsewhere; None where nothing varies."""
    observed = returns[events]
    if len(observed) < 2 or observed.min() == observed.max():
        return None
    return np.where(events, returns - observed.mean(), 0.0)


def _from_covariances(returns: Floats, events: Flags, weights: Floats) -> float | None:
    residuals = _residuals(returns, events)
    if residuals is None:
        return None
    products = lagged_products(residuals, len(weights) - 1)
    total = float(products[0] + 2.0 * (weights[1:] @ products[1:]))
    return math.sqrt(total) / int(np.count_nonzero(events)) if total > 0.0 else None
