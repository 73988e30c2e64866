"""Comparing results of kernels, whatever their shape: one array, or several in a tuple."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.registry import KERNELS, Entry

CASES = [(entry, parameters) for entry in KERNELS for parameters in entry.parameters]
CASE_NAMES = [f"{entry.name}-{','.join(f'{k}={v}' for k, v in parameters.items())}" for entry, parameters in CASES]
ENTRY_NAMES = [entry.name for entry in KERNELS]


def arrays(result: Any) -> list[npt.NDArray[Any]]:
    return [np.asarray(part) for part in result] if isinstance(result, tuple) else [np.asarray(result)]


def first_rows(array: npt.NDArray[Any], entry: Entry, rows: int) -> npt.NDArray[Any]:
    """The first rows of a series or of series stacked in front."""
    return array[..., :rows] if array.ndim == 1 or entry.columns or "windows" in entry.parameters[0] else array[:rows]


def assert_same_bits(actual: Any, expected: Any, note: str = "") -> None:
    for one, other in zip(arrays(actual), arrays(expected), strict=True):
        assert one.dtype == other.dtype, note
        assert one.shape == other.shape, note
        same = one.view(np.int64) == other.view(np.int64) if one.dtype == np.float64 else one == other
        both_missing = (one != one) & (other != other)  # noqa: PLR0124 - true for NaN, and defined for integers
        assert np.all(same | both_missing), f"{note}: rows {np.argwhere(~(same | both_missing))[:5].tolist()}"


def assert_close(actual: Any, expected: Any, tolerance: float, scale: float, note: str) -> None:
    """Within a tolerance relative to the result or to the scale of the values, and missing in the same places."""
    for one, other in zip(arrays(actual), arrays(expected), strict=True):
        assert one.shape == other.shape, note
        if one.dtype == np.float64:
            np.testing.assert_array_equal(np.isnan(one), np.isnan(other), err_msg=note)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale, err_msg=note)
        else:
            np.testing.assert_array_equal(one, other, err_msg=note)
