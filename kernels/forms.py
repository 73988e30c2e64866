"""Run a kernel of one series over one series or over the columns of a matrix, on one thread or several."""

import sys
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from numpy import empty

from kernels.arrays import FLOAT, Floats, as_floats, check_ddof, check_window, result_array
from kernels.compile import direct, jit
from kernels.lanes import WIDTH, load, store, transposed
from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["WHOLE", "RangeKernel", "apply", "is_plain", "roll", "run", "run_columns"]

PANEL = 32
"""Columns of a row-stored matrix copied at a time: each row's piece is a few whole cache lines."""

PADDING = 8
"""Surplus of a panel's rows: where their length is a power of two they would all begin in the same set of the cache."""

WHOLE = sys.maxsize
"""Grain of a kernel that goes through a series from its beginning."""

RangeKernel = Callable[..., None]
"""``kernel(series, result, start, stop, *parameters)`` writes ``result[start:stop]`` and nothing else."""


_direct: dict[RangeKernel, Callable[..., None]] = {}
"""Machine code of the kernels that have been asked for a plain series."""


def roll(
    kernel: RangeKernel,
    values: npt.ArrayLike,
    window: int,
    min_periods: int | None,
    out: Floats | None,
    threads: int,
    kind: int,
    ddof: int = 0,
) -> Floats:
    """Check what a kernel over one window is given, and run it with ``window, least, kind, ddof``."""
    if (
        out is None
        and min_periods is None
        and type(window) is int
        and window > 0
        and type(ddof) is int
        and ddof >= 0
        and is_plain(values, threads)
    ):
        rows = len(values)
        result = empty(rows)
        try:
            code = _direct[kernel]
        except KeyError:
            code = _made_direct(kernel, result, result, 0, rows, window, window, kind, ddof)
        code(values, result, 0, rows, window, window, kind, ddof)
        return result
    window, least = check_window(window, min_periods)
    return apply(kernel, values, out, threads, window, window, least, kind, check_ddof(ddof))


def apply(
    kernel: RangeKernel,
    values: npt.ArrayLike,
    out: Floats | None,
    threads: int,
    grain: int,
    *parameters: float,
    name: str = "values",
) -> Floats:
    """Return what a kernel makes of values of any accepted kind, in `out` or in a new array. See `run`.

    The types of `parameters` are the same at every call of one kernel.
    """
    if out is None and is_plain(values, threads):
        rows = len(values)
        result = empty(rows)
        try:
            code = _direct[kernel]
        except KeyError:
            code = _made_direct(kernel, result, result, 0, rows, *parameters)
        code(values, result, 0, rows, *parameters)
        return result
    array = as_floats(values, name)
    result = result_array(array, out)
    run(kernel, array, result, *parameters, threads=threads, grain=grain)
    return result


def is_plain(values: npt.ArrayLike, threads: int) -> TypeGuard[Floats]:
    """Tell whether values are what they are most often: a series ready for use, to be worked on by one thread.

    A daily series is done in a microsecond. So there is one short way for it, which asks nothing twice.
    """
    return (
        type(values) is np.ndarray
        and values.dtype is FLOAT
        and values.ndim == 1
        and values.flags.carray  # contiguous, aligned, writeable
        and (threads == 1 or len(values) < 2 * SMALLEST_SHARE)
    )


def _made_direct(kernel: RangeKernel, *like: Any) -> Callable[..., None]:
    code = _direct[kernel] = direct(kernel, *like)
    return code


def run(
    kernel: RangeKernel,
    values: npt.NDArray[Any],
    result: npt.NDArray[Any],
    *parameters: float,
    threads: int,
    grain: int,
) -> None:
    """Fill `result` from `values` with a kernel of one series.

    Parameters
    ----------
    kernel
        See `RangeKernel`. What it writes to ``[start, stop)`` must not depend on where `start` is, if that is a
        multiple of `grain`.
    values, result
        One series, or a matrix with time down the rows, whose columns are independent. A matrix stored by columns is
        used in place; of one stored by rows, panels of columns are copied while they are worked on.
    parameters
        Passed on to the kernel.
    threads
        At most so many; one series is cut at multiples of the grain, a matrix into columns.
    """
    if values.ndim == 1:
        if threads == 1 or values.size < 2 * SMALLEST_SHARE:
            kernel(values, result, 0, values.size, *parameters)
            return
        share = -(-SMALLEST_SHARE // grain) * grain
        in_parallel(lambda start, stop: kernel(values, result, start, stop, *parameters), values.size, share, threads)
        return
    rows, columns = values.shape
    if rows:
        share = -(-SMALLEST_SHARE // rows)
        in_parallel(
            lambda first, last: run_columns(kernel, values, result, first, last, *parameters), columns, share, threads
        )


def run_columns(
    kernel: RangeKernel,
    values: npt.NDArray[Any],
    result: npt.NDArray[Any],
    first: int,
    last: int,
    *parameters: float,
) -> None:
    """Run the kernel over the columns ``[first, last)`` of a matrix."""
    rows = len(values)
    if values.flags.f_contiguous:
        for column in range(first, last):
            kernel(values[:, column], result[:, column], 0, rows, *parameters)
        return
    series, target = np.empty((PANEL, rows + PADDING)), np.empty((PANEL, rows + PADDING))
    for begin in range(first, last, PANEL):
        count = min(PANEL, last - begin)
        _gather(values, begin, count, series)
        _each_row(kernel, series, target, count, rows, parameters)
        _scatter(target, begin, count, result)


@jit
def _each_row(
    kernel: RangeKernel, series: Floats, target: Floats, count: int, rows: int, parameters: tuple[float, ...]
) -> None:
    """Run a compiled kernel over the rows of a panel without coming back to the interpreter between them."""
    for k in range(count):
        kernel(series[k, :rows], target[k, :rows], 0, rows, *parameters)


@jit
def _gather(matrix: Floats, first: int, count: int, panel: Floats) -> None:
    """Copy columns of a matrix into the rows of a panel, four by four."""
    rows = matrix.shape[0]
    square_rows, square_columns = rows - rows % WIDTH, count - count % WIDTH
    for i in range(0, square_rows, WIDTH):
        for j in range(0, square_columns, WIDTH):
            column = first + j
            one, two, three, four = transposed(
                load(matrix[i], column),
                load(matrix[i + 1], column),
                load(matrix[i + 2], column),
                load(matrix[i + 3], column),
            )
            store(panel[j], i, one)
            store(panel[j + 1], i, two)
            store(panel[j + 2], i, three)
            store(panel[j + 3], i, four)
    for i in range(rows):
        for j in range(square_columns if i < square_rows else 0, count):
            panel[j, i] = matrix[i, first + j]


@jit
def _scatter(panel: Floats, first: int, count: int, matrix: Floats) -> None:
    """Copy the rows of a panel into columns of a matrix, four by four."""
    rows = matrix.shape[0]
    square_rows, square_columns = rows - rows % WIDTH, count - count % WIDTH
    for i in range(0, square_rows, WIDTH):
        for j in range(0, square_columns, WIDTH):
            column = first + j
            one, two, three, four = transposed(
                load(panel[j], i), load(panel[j + 1], i), load(panel[j + 2], i), load(panel[j + 3], i)
            )
            store(matrix[i], column, one)
            store(matrix[i + 1], column, two)
            store(matrix[i + 2], column, three)
            store(matrix[i + 3], column, four)
    for i in range(rows):
        for j in range(square_columns if i < square_rows else 0, count):
            matrix[i, first + j] = panel[j, i]
