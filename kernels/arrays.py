"""What every kernel accepts: arrays checked and converted once, results allocated."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "FLOAT",
    "Bools",
    "Floats",
    "Integers",
    "as_bools",
    "as_floats",
    "as_states",
    "check_ddof",
    "check_periods",
    "check_window",
    "result_array",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FLOAT = np.dtype(np.float64)


class _Unflagged:
    """The same memory without its read-only flag.

    numba compiles a second copy of a function for read-only arrays. Kernels never write to their input, so they are
    handed a view that does not carry the flag, and one copy serves both.
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
        self._keep_alive = array


def as_floats(values: npt.ArrayLike, name: str = "values") -> Floats:
    """Return `values` as a contiguous float64 array of one or two dimensions, without a copy where it is one already.

    Parameters
    ----------
    values
        Numbers of any numeric or boolean type. float32, integers and strided views are copied to float64; a contiguous
        float64 array, read-only or not, is used in place. A 2-D array may be stored by rows or by columns.
    name
        What the error calls it.

    Raises
    ------
    TypeError
        If the values are not numbers.
    ValueError
        If there are no or more than two dimensions.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype is not FLOAT and array.dtype != FLOAT:
        if array.dtype.kind not in "buif":
            message = f"{name} must be numbers, but their type is {array.dtype}; convert them to float64 first."
            raise TypeError(message)
        array = array.astype(np.float64)
    if not 1 <= array.ndim <= 2:
        message = f"{name} must have one or two dimensions (time down the rows), but have {array.ndim}."
        raise ValueError(message)
    flags = array.flags
    if not flags.forc:
        return np.ascontiguousarray(array)
    if not flags.writeable:
        return np.asarray(_Unflagged(array))
    return array


def as_bools(values: npt.ArrayLike, name: str = "flags") -> Bools:
    """Return `values` as a contiguous boolean array of one dimension; numbers are not taken for flags."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype != np.bool_ and not (array.size == 0 and not isinstance(values, np.ndarray)):
        message = f"{name} must be booleans, but their type is {array.dtype}; compare them with something first."
        raise TypeError(message)
    if array.ndim != 1:
        message = f"{name} must have one dimension, but have {array.ndim}."
        raise ValueError(message)
    array = np.ascontiguousarray(array, dtype=np.bool_)
    return array if array.flags.writeable else np.asarray(_Unflagged(array))


def check_window(window: int, min_periods: int | None = None) -> tuple[int, int]:
    """Return the window and the smallest number of valid values in it, checked.

    Raises
    ------
    ValueError
        If the window is less than 1, or `min_periods` is not between 1 and the window.
    """
    if type(window) is int and window >= 1 and min_periods is None:
        return window, window
    if window < 1 or window != int(window):
        message = f"window must be a whole number of at least 1, but is {window}."
        raise ValueError(message)
    if min_periods is None:
        return int(window), int(window)
    if not 1 <= min_periods <= window or min_periods != int(min_periods):
        message = f"min_periods must be a whole number between 1 and the window ({window}), but is {min_periods}."
        raise ValueError(message)
    return int(window), int(min_periods)


def check_ddof(ddof: int) -> int:
    """Return the degrees of freedom taken from the divisor, checked to be a whole number of at least 0."""
    if ddof < 0 or ddof != int(ddof):
        message = f"ddof must be a whole number of at least 0, but is {ddof}."
        raise ValueError(message)
    return int(ddof)


def check_periods(periods: int, name: str = "periods") -> int:
    """Return a number of rows, checked to be a whole number of at least 1."""
    if periods < 1 or periods != int(periods):
        message = f"{name} must be a whole number of at least 1, but is {periods}."
        raise ValueError(message)
    return int(periods)


def result_array(like: npt.NDArray[Any], out: Floats | None) -> Floats:
    """Return the array a result goes to: `out`, checked, or a new one of the same shape and order as `like`.

    Raises
    ------
    ValueError
        If `out` has another shape, type or order, cannot be written, or overlaps `like`.
    """
    if out is None:
        by_rows = like.ndim == 1 or like.flags.c_contiguous
        return np.empty(like.shape) if by_rows else np.empty(like.shape, order="F")
    if out.shape != like.shape or out.dtype != FLOAT:
        message = f"out must be float64 of shape {like.shape}, but is {out.dtype} of shape {out.shape}."
        raise ValueError(message)
    same_order = out.flags.c_contiguous == like.flags.c_contiguous and out.flags.f_contiguous == like.flags.f_contiguous
    if not (out.flags.writeable and same_order):
        message = "out must be writable and contiguous in the same order (rows or columns) as the values."
        raise ValueError(message)
    if np.may_share_memory(out, like):
        message = "out must not overlap the values: a kernel reads them again after it has written."
        raise ValueError(message)
    return out


def as_states(values: npt.ArrayLike, name: str = "states") -> Integers:
    """Return booleans or integers of one dimension as int64."""
    array = np.asarray(values)
    if array.dtype.kind not in "bui" and array.size:
        message = f"{name} must be booleans or integers, but their type is {array.dtype}; number the states first."
        raise TypeError(message)
    if array.ndim != 1:
        message = f"{name} must have one dimension, but have {array.ndim}."
        raise ValueError(message)
    array = np.ascontiguousarray(array, dtype=np.int64)
    return array if array.flags.writeable else np.asarray(_Unflagged(array))
