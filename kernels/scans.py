"""Running sums of one block, forward and backward: the pieces that rolling moments are put together from.

Each scan works on four values at a time. The chain of additions that must wait for one another is then one per four
values instead of one per value. The grouping starts at the block's own beginning, so it is the same for every length
of history.
"""

from kernels.arrays import Floats
from kernels.compile import jit

__all__ = ["prefix_sums", "prefix_sums_and_squares", "suffix_sums", "suffix_sums_and_squares"]


@jit
def prefix_sums(d: Floats, sums: Floats) -> None:
    """Write ``sums[k] = d[0] + ... + d[k]``."""
    n = d.size
    total = 0.0
    k = 0
    while k + 4 <= n:
        two = d[k] + d[k + 1]
        three = two + d[k + 2]
        four = three + d[k + 3]
        sums[k] = total + d[k]
        sums[k + 1] = total + two
        sums[k + 2] = total + three
        total = total + four
        sums[k + 3] = total
        k += 4
    within = 0.0
    while k < n:
        within += d[k]
        sums[k] = total + within
        k += 1


@jit
def suffix_sums(d: Floats, sums: Floats) -> None:
    """Write ``sums[k] = d[k] + ... + d[n - 1]``."""
    k = d.size - 1
    total = 0.0
    while k >= 3:
        two = d[k] + d[k - 1]
        three = two + d[k - 2]
        four = three + d[k - 3]
        sums[k] = total + d[k]
        sums[k - 1] = total + two
        sums[k - 2] = total + three
        total = total + four
        sums[k - 3] = total
        k -= 4
    within = 0.0
    while k >= 0:
        within += d[k]
        sums[k] = total + within
        k -= 1


@jit
def prefix_sums_and_squares(d: Floats, sums: Floats, squares: Floats) -> None:
    """Write the running sums of `d` and of its squares, forward."""
    n = d.size
    total = 0.0
    square_total = 0.0
    k = 0
    while k + 4 <= n:
        d0, d1, d2, d3 = d[k], d[k + 1], d[k + 2], d[k + 3]
        two = d0 + d1
        three = two + d2
        four = three + d3
        q0 = d0 * d0
        q1 = q0 + d1 * d1
        q2 = q1 + d2 * d2
        q3 = q2 + d3 * d3
        sums[k] = total + d0
        sums[k + 1] = total + two
        sums[k + 2] = total + three
        total = total + four
        sums[k + 3] = total
        squares[k] = square_total + q0
        squares[k + 1] = square_total + q1
        squares[k + 2] = square_total + q2
        square_total = square_total + q3
        squares[k + 3] = square_total
        k += 4
    within = 0.0
    square_within = 0.0
    while k < n:
        within += d[k]
        square_within += d[k] * d[k]
        sums[k] = total + within
        squares[k] = square_total + square_within
        k += 1


@jit
def suffix_sums_and_squares(d: Floats, sums: Floats, squares: Floats) -> None:
    """Write the running sums of `d` and of its squares, backward."""
    k = d.size - 1
    total = 0.0
    square_total = 0.0
    while k >= 3:
        d0, d1, d2, d3 = d[k], d[k - 1], d[k - 2], d[k - 3]
        two = d0 + d1
        three = two + d2
        four = three + d3
        q0 = d0 * d0
        q1 = q0 + d1 * d1
        q2 = q1 + d2 * d2
        q3 = q2 + d3 * d3
        sums[k] = total + d0
        sums[k - 1] = total + two
        sums[k - 2] = total + three
        total = total + four
        sums[k - 3] = total
        squares[k] = square_total + q0
        squares[k - 1] = square_total + q1
        squares[k - 2] = square_total + q2
        square_total = square_total + q3
        squares[k - 3] = square_total
        k -= 4
    within = 0.0
    square_within = 0.0
    while k >= 0:
        within += d[k]
        square_within += d[k] * d[k]
        sums[k] = total + within
        squares[k] = square_total + square_within
        k -= 1
