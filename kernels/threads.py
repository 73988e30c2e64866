"""Share a kernel's work among threads: fixed pieces, one pool for the process, none inside worker processes."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

__all__ = ["SMALLEST_SHARE", "in_parallel", "thread_limit"]

SMALLEST_SHARE = 16_384
"""Elements below which handing a piece to another thread costs more than computing it."""


PIECES = 4
"""Pieces for each thread."""


@lru_cache
def thread_limit() -> int:
    """Return how many threads a kernel may use here.

    ``$ENGINE_THREADS`` decides where it is set. Otherwise it is one in a worker process, because its siblings use the
    other cores, and the number of cores this process may run on elsewhere.
    """
    chosen = os.environ.get("ENGINE_THREADS", "")
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(thread_limit() - 1, 1), thread_name_prefix="kernels")


def _forget() -> None:
    _pool.cache_clear()
    thread_limit.cache_clear()


if hasattr(os, "register_at_fork"):  # a forked child has the pool's memory but not its threads
    os.register_at_fork(after_in_child=_forget)


def in_parallel(work: Callable[[int, int], None], length: int, grain: int, threads: int) -> None:
    """Call `work(start, stop)` for pieces that together make ``[0, length)``, on up to `threads` threads.

    Pieces begin at multiples of `grain`. A kernel whose block boundaries are multiples of its grain therefore
    computes every element from the same operations, whatever the number of threads. There are more pieces than threads,
    and whoever is free takes the next: a thread that starts late, or whose core is taken, does less.
    """
    threads = min(threads, thread_limit(), length // grain)
    if threads <= 1:
        work(0, length)
        return
    grains = -(-length // grain)
    pieces = min(threads * PIECES, length // grain)
    bounds = [min(grains * piece // pieces * grain, length) for piece in range(pieces + 1)]
    waiting = deque(pairwise(bounds))

    def take_turns() -> None:
        while True:
            try:
                start, stop = waiting.popleft()
            except IndexError:
                return
            work(start, stop)

    others = [_pool().submit(take_turns) for _ in range(threads - 1)]
    try:
        take_turns()
    finally:
        for other in others:
            other.result()
