"""Digits: rolling moments against exact rational arithmetic, on the series where other libraries lose them."""

import math
from fractions import Fraction

import numpy as np
import pytest

import kernels
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


@pytest.mark.parametrize("window", [5, 60, 1260])
@pytest.mark.parametrize("name", NAMES)
def test_relative_error(name: str, window: int) -> None:
    values = series(name)
    deviation = kernels.rolling_std(values, window)
    mean = kernels.rolling_mean(values, window)
    score = kernels.rolling_zscore(values, window)
    random = np.random.default_rng(1)
    after = [row for spike in (1260, 1500) for row in range(spike + window - 1, spike + window + 3)]
    rows = {*random.integers(window, LENGTH, 40).tolist(), *(row for row in after if row < LENGTH), LENGTH - 1}
    for row in rows:
        held = values[row - window + 1 : row + 1]
        true_mean, variance = exact(held)
        true_deviation = root(variance)
        largest = max(abs(held))
        assert abs(deviation[row] / true_deviation - 1) <= 1e-12, row
        assert abs(float(Fraction(mean[row]) - true_mean)) <= 1e-15 * largest, row
        true_score = float((Fraction(values[row]) - true_mean) / Fraction(true_deviation))
        assert abs(score[row] - true_score) <= 1e-12 * max(abs(true_score), 1.0), row


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_where_there_is_a_deviation(name: str) -> None:
    for window in (5, 60, 1260):
        deviation = kernels.rolling_std(series(name), window)[window - 1 :]
        assert np.all(deviation > 0.0)
        assert np.isfinite(kernels.rolling_zscore(series(name), window)[window - 1 :]).all()


@pytest.mark.parametrize("name", NAMES)
def test_averages_from_one_running_sum_are_as_exact(name: str) -> None:
    values = series(name)
    windows = (5, 60, 1260)
    for window, averages in zip(windows, kernels.rolling_mean_many(values, windows), strict=True):
        for row in (window - 1, 1260 + window, 1500 + window, LENGTH - 1):
            if row < LENGTH:
                held = values[row - window + 1 : row + 1]
                true_mean, _ = exact(held)
                assert abs(float(Fraction(averages[row]) - true_mean)) <= 2e-15 * max(abs(held)), (window, row)


@pytest.mark.parametrize("name", NAMES)
def test_beta_of_a_line_is_its_slope(name: str) -> None:
    values = series(name)
    line = 0.5 * values  # exact: halving only changes the exponent
    for window in (5, 60, 1260):
        beta = kernels.rolling_beta(line, values, window)[window - 1 :]
        np.testing.assert_allclose(beta, 0.5, rtol=1e-12)
        np.testing.assert_allclose(kernels.rolling_corr(line, values, window)[window - 1 :], 1.0, rtol=1e-12)
