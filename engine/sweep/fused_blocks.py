"""Evaluate a grid block by block with the fused loop, on several threads, in the order in which the blocks come."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.fused_backend import ONE_PASS, Evaluator, choose_form, evaluate_combinations, make_evaluator
from engine.sweep.plan import Plan
from kernels.threads import thread_limit

__all__ = ["BLOCK", "Block", "evaluate_blocks", "split"]

Block = NDArray[np.int64] | range
"""Numbers of combinations, ascending."""

BLOCK = 32_768
"""Combinations in a block: some hundredths of a second of work, some megabytes of results."""


def split(combinations: Block) -> Iterator[Block]:
    """Cut combinations into blocks of a good size."""
    for start in range(0, len(combinations), BLOCK):
        yield combinations[start : start + BLOCK]


def evaluate_blocks(
    plan: Plan,
    blocks: Iterable[Block],
    *,
    threads: int | None = None,
    one_pass: bool = False,
    evaluator: Evaluator | None = None,
) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
    """Evaluate combinations block by block.

    The result of a combination does not depend on its block, on the number of threads or on the form of evaluation. A
    block is asked for only when a thread is nearly ready for it, so that a grid of any size can be described by ranges.

    Parameters
    ----------
    blocks
        Numbers of combinations with a meaning; see `split`.
    threads
        Number of threads; all that there are if not given.
    one_pass
        Look at every close of every combination and remember nothing, even where the event-driven form is faster.
    evaluator
        `make_evaluator` of the plan, for a caller that comes again with other blocks; made here if not given.

    Yields
    ------
    The combinations of a block, and their metrics, one row each.
    """
    evaluator = evaluator or make_evaluator(plan)
    form = ONE_PASS if one_pass else choose_form(evaluator)
    workers = threads or thread_limit()
    arrays = (np.asarray(block, np.int64) for block in blocks)
    first = next(arrays, None)
    if first is None:
        return
    evaluate_combinations(evaluator, first[:1], form)  # compiled once, before several threads would ask for it
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        pending: deque[tuple[NDArray[np.int64], Future[pl.DataFrame]]] = deque()
        for block in chain((first,), arrays):
            pending.append((block, pool.submit(evaluate_combinations, evaluator, block, form)))
            if len(pending) > workers:
                done, result = pending.popleft()
                yield done, result.result()
        for done, result in pending:
            yield done, result.result()
