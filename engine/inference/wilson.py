"""Wilson's interval of a share."""

import math
from statistics import NormalDist

__all__ = ["wilson_interval"]


def wilson_interval(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Interval of the probability behind a share of successes.

    (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n), with p = successes / n and z the normal quantile.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22(158), 1927.

    Parameters
    ----------
    successes, n
        Of overlapping returns, n is the effective number of observations, and successes the share times n; neither
        need be whole.
    confidence
        Probability that the interval is to hold.

    Returns
    -------
    Low and high end, within 0 and 1; None for n below 1.

    Raises
    ------
    ValueError
        More successes than observations, or fewer than none.
    """
    if n < 1.0:
        return None
    if not 0.0 <= successes <= n:
        message = f"{successes} successes of {n}"
        raise ValueError(message)
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    share = successes / n
    centre = share + z * z / (2.0 * n)
    reach = z * math.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n))
    scale = 1.0 + z * z / n
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
