"""Many p-values in one table: how many of the small ones chance alone would make."""

from collections.abc import Sequence

import numpy as np

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjust the p-values of a table for their number.

    With m p-values in ascending order, the k-th becomes the least of m p_j / j over j >= k. Rejecting what is at most q
    keeps the expected share of false rejections at or below q where the tests are independent or positively dependent.

    Source: Benjamini and Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical Society B
    57(1), 1995.

    Parameters
    ----------
    p_values
        None where there was no test: it does not count and stays None.

    Returns
    -------
    Adjusted p-values in the same order.
    """
    tested = [k for k, p_value in enumerate(p_values) if p_value is not None]
    values = np.array([p_values[k] for k in tested], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result: list[float | None] = [None] * len(p_values)
    for place, value in zip(order, adjusted, strict=True):
        result[tested[place]] = float(value)
    return tuple(result)
