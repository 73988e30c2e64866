"""Which combinations hold the same positions on every day: they have the same result, so one of them is evaluated.

Thresholds and stops that fall between two observed values cannot be told apart by the data. On the pair's documented
ranges fewer than one combination in ten is different from all others.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from engine.sweep.plan import Plan
from engine.sweep.rules import posture_paths

__all__ = ["representatives"]

BLOCK = 4096


def representatives(plan: Plan, combinations: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each combination, the first one that holds the same positions with the same weights.

    Parameters
    ----------
    combinations
        Numbers of combinations, int64, ascending.

    Returns
    -------
    int64 of the same shape.
    """
    first: dict[bytes, int] = {}
    out = np.empty(len(combinations), np.int64)
    for start in range(0, len(combinations), BLOCK):
        block = combinations[start : start + BLOCK]
        rows = plan.rows(block)
        paths = posture_paths(plan, block)
        for k, combination in enumerate(block.tolist()):
            digest = hashlib.blake2b(paths[k], digest_size=16)
            digest.update(bytes((bool(rows.daily[k]),)) + int(rows.weights[k]).to_bytes(8, "little"))
            out[start + k] = first.setdefault(digest.digest(), combination)
    return out
