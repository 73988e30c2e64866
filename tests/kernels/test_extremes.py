"""Extremes of a matrix that is stored by rows, which are computed four columns side by side."""

import numpy as np
import pytest

import kernels
from kernels.extremes import TILE
from kernels.registry import inputs


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("min_periods", [None, 4])
@pytest.mark.parametrize("name", ["rolling_max", "rolling_min", "rolling_drawdown"])
def test_extremes_by_rows_have_the_bits_of_a_series(name: str, min_periods: int | None, *, missing: bool) -> None:
    matrix = np.column_stack([inputs("prices", 150, variant="rounded", seed=seed)[0] for seed in range(TILE + 7)])
    matrix[20, :5] = 0.0, -0.0, np.inf, -np.inf, 1.0
    if missing:
        matrix[30, TILE - 1] = np.nan
    kernel = getattr(kernels, name)
    for window in (1, 7, 60, 200):
        least = None if min_periods is None else min(min_periods, window)
        whole = kernel(matrix, window, min_periods=least)
        assert whole.flags.c_contiguous
        series = [kernel(column.copy(), window, min_periods=least) for column in matrix.T]
        np.testing.assert_array_equal(whole, np.column_stack(series))
        np.testing.assert_array_equal(np.signbit(whole), np.signbit(np.column_stack(series)))
