"""Run a kernel of one series over one series or over the columns of a matrix, on one thread or several."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.threads import SMALLEST_SHARE, in_parallel

__all__ = ["RangeKernel", "run"]

RangeKernel = Callable[..., None]
"""``kernel(series, result, start, stop, *parameters)`` writes ``result[start:stop]`` and nothing else."""


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
        used in place; of one stored by rows each column is copied while it is worked on.
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
            lambda first, last: _columns(kernel, values, result, first, last, parameters), columns, share, threads
        )


def _columns(
    kernel: RangeKernel,
    values: npt.NDArray[Any],
    result: npt.NDArray[Any],
    first: int,
    last: int,
    parameters: tuple[float, ...],
) -> None:
    """Run the kernel over the columns ``[first, last)``."""
    rows = len(values)
    for column in range(first, last):
        series, target = values[:, column], result[:, column]
        if target.flags.c_contiguous:
            kernel(series, target, 0, rows, *parameters)
        else:
            buffer = np.empty(rows, dtype=result.dtype)
            kernel(np.ascontiguousarray(series), buffer, 0, rows, *parameters)
            target[:] = buffer
