"""Digits: rolling moments against exact rational arithmetic, on the series where other libraries lose them."""

from fractions import Fraction

import numpy as np
import pytest

import kernels
from tests.kernels.exact import LENGTH, NAMES, exact, root, series


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
