"""Evaluate a whole grid block by block with the fused loop, on several threads, in the grid's order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.fused_backend import evaluate_combinations, settled_returns
from engine.sweep.plan import Plan
from engine.sweep.waking import waking_closes
from kernels.threads import thread_limit

__all__ = ["BLOCK", "Block", "evaluate_blocks", "split"]

Block = NDArray[np.int64] | range
"""Numbers of combinations, ascending."""

BLOCK = 16_384
"""Combinations in a block: some tenths of a second of work, some megabytes of results."""

PROBED = 64
"""Combinations looked at to measure how often a rule at rest is woken."""

DENSE = 0.3
"""Share of closes that wake it from which on looking at every close is faster."""


def split(combinations: Block) -> Iterator[Block]:
    """Cut combinations into blocks of a good size."""
    for start in range(0, len(combinations), BLOCK):
        yield combinations[start : start + BLOCK]


def evaluate_blocks(
    plan: Plan, blocks: Iterable[Block], *, threads: int | None = None
) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
    """Evaluate combinations block by block.

    The result of a combination does not depend on its block or on the number of threads.

    Yields
    ------
    The combinations of a block, and their metrics, one row each.
    """
    settled = settled_returns(plan.market)
    arrays = (np.asarray(block, np.int64) for block in blocks)
    first = next(arrays, None)
    if first is None:
        return
    waking = _useful_waking_closes(plan, first)
    workers = threads or thread_limit()
    evaluate_combinations(plan, first[:1], settled, waking)  # compiled once, before several threads would ask for it
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        pending: deque[tuple[NDArray[np.int64], Future[pl.DataFrame]]] = deque()
        for block in chain((first,), arrays):
            pending.append((block, pool.submit(evaluate_combinations, plan, block, settled, waking)))
            if len(pending) > workers:
                done, result = pending.popleft()
                yield done, result.result()
        for done, result in pending:
            yield done, result.result()


def _useful_waking_closes(plan: Plan, combinations: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Closes to jump to, or no words where a rule at rest would be woken too often for jumping to pay."""
    waking = waking_closes(plan)
    probed = combinations[np.linspace(0, len(combinations) - 1, min(PROBED, len(combinations))).astype(np.int64)]
    closes = np.bitwise_and.reduce(waking[plan.rows(probed).codes], axis=1)
    share = np.bitwise_count(closes).sum(axis=1).mean() / plan.panel.sessions if len(probed) else 1.0
    return waking if share < DENSE else waking[:, :0]
