"""Series on which rolling moments lose digits, and the moments without rounding."""

import math
from fractions import Fraction

import numpy as np

from kernels.arrays import Floats

LENGTH = 4000


def series(name: str) -> Floats:
    random = np.random.default_rng(0)
    prices = 100 * np.exp(np.cumsum(random.normal(0, 0.01, LENGTH)))
    if name == "high mean":
        return 1e8 + random.normal(0, 0.01, LENGTH)
    if name == "levels":
        return np.repeat(random.normal(100, 5, LENGTH // 500), 500) + random.normal(0, 1e-6, LENGTH)
    if name == "trend":
        return 1e6 + np.arange(LENGTH) * 0.25 + random.normal(0, 1e-3, LENGTH)
    if name == "spike":
        prices[1500] = 1e12
    if name == "spike at a block's first row":
        prices[[1260, 1500]] = 1e12
    if name == "spikes at every block's first row":
        prices[::60] *= 1e9
    return prices


NAMES = ("prices", "high mean", "levels", "trend", "spike", "spike at a block's first row",
         "spikes at every block's first row")  # fmt: skip


def exact(window: Floats) -> tuple[Fraction, Fraction]:
    """Mean and sample variance without rounding."""
    values = [Fraction(value) for value in window.tolist()]
    mean = sum(values, Fraction(0)) / len(values)
    return mean, sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def root(value: Fraction) -> float:
    """Square root to the last digit, also where numerator and denominator do not fit a float."""
    scale = 1 << 200
    return math.isqrt(value.numerator * scale**2 // value.denominator) / scale
