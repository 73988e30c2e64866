"""Many windows of one series at once."""

import numpy as np
import pytest

import kernels
from kernels.many_windows import PAST_CACHE
from kernels.registry import KERNELS, Entry, inputs

ONE_WINDOW = [e for e in KERNELS if e.min_periods and e.inputs in {"series", "prices"} and "quantile" not in e.name]
WITH_OUT = [e for e in ONE_WINDOW if "out" in (e.function.__kwdefaults__ or {})]


@pytest.mark.parametrize("entry", WITH_OUT, ids=lambda e: e.name)
def test_each_row_is_the_kernel_itself(entry: Entry) -> None:
    (values,) = inputs(entry.inputs, 300, variant="missing")
    windows = range(15, 40)
    stacked = kernels.many_windows(entry.function, values, windows, min_periods=10, threads=2)
    assert stacked.shape == (25, 300)
    for window, row in zip(windows, stacked, strict=True):
        np.testing.assert_array_equal(row, entry.function(values, window, min_periods=10))


def test_of_a_matrix() -> None:
    matrix = np.column_stack([inputs("series", 100, seed=seed)[0] for seed in range(3)])
    for stored in (matrix, np.asfortranarray(matrix)):
        stacked = kernels.many_windows(kernels.rolling_std, stored, [5, 20])
        np.testing.assert_array_equal(stacked[1], kernels.rolling_std(matrix, 20))


def test_of_nothing() -> None:
    assert kernels.many_windows(kernels.rolling_std, np.zeros(0), [3, 4]).shape == (2, 0)
    assert kernels.many_windows(kernels.rolling_std, np.zeros(5), []).shape == (0, 5)
    assert kernels.rolling_mean_many(np.zeros(5), []).shape == (0, 5)


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_large_result_has_the_bits_of_small_ones(offset: int) -> None:
    """A large result is written past the cache, in vectors whose address must be right for them."""
    (values,) = inputs("series", 11_003)
    values[[500, 6000]] = np.nan, np.inf
    windows = np.arange(1, 111)
    out = np.empty(windows.size * values.size + offset)[offset:].reshape(windows.size, values.size)
    large = kernels.rolling_mean_many(values, windows, out=out, threads=2)
    assert large.size > PAST_CACHE
    small = np.vstack([kernels.rolling_mean_many(values, windows[k : k + 10]) for k in range(0, windows.size, 10)])
    np.testing.assert_array_equal(large.view(np.int64), small.view(np.int64))
