"""Evaluate posture paths chunk by chunk, in this process or in several, within a memory budget."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.plan import Market, Plan
from engine.sweep.rules import posture_paths
from engine.sweep.vectorbt_backend import bytes_per_path, evaluate_paths
from parquet_store.errors import EngineError

__all__ = ["MemoryBudgetError", "Workload", "evaluate_representatives", "plan_workload", "require_budget"]

BASE_BYTES = 420_000_000
"""What a process holds with vectorbt imported and compiled; measured."""

BEST_CHUNK = 400
"""Paths in a chunk beyond which vectorbt gains no more speed."""

PATHS_A_SECOND = 400
"""Order of magnitude of one process's speed, for advice and for choosing how many processes pay."""

START_SECONDS = 4.0
"""What another process costs before its first result."""


class MemoryBudgetError(EngineError):
    """The memory allowed is not enough to evaluate anything."""


@dataclass(frozen=True)
class Workload:
    """How the work is cut up: number of processes besides this one (0: this one alone) and paths in a chunk."""

    processes: int
    chunk: int


def require_budget(market: Market, memory: int) -> None:
    """Refuse a budget in bytes that is not enough for one path.

    Raises
    ------
    MemoryBudgetError
        It is not; the message says what would be.
    """
    least = BASE_BYTES + bytes_per_path(market)
    if memory < least:
        message = (
            f"a memory budget of {memory / 1e6:.0f} MB is too small: this sweep needs {least / 1e6:.0f} MB at least"
        )
        raise MemoryBudgetError(message)


def plan_workload(plan: Plan, paths: int, *, memory: int, jobs: int | None = None) -> Workload:
    """Choose chunk size and processes so that all of them together stay within ``memory`` bytes.

    Parameters
    ----------
    paths
        Number of distinct paths to evaluate.
    memory
        Budget in bytes for this process and its workers.
    jobs
        Number of processes wanted; chosen here if not given.
    """
    require_budget(plan.market, memory)
    each = bytes_per_path(plan.market)
    affordable = int(memory // (2 * BASE_BYTES)) if memory >= 3 * BASE_BYTES else 1
    wanted = jobs if jobs is not None else _paying_processes(paths)
    processes = max(1, min(wanted, affordable))
    bases = BASE_BYTES if processes == 1 else (processes + 0.5) * BASE_BYTES
    chunk = int((memory - bases) // (each * processes))
    chunk = max(1, min(chunk, BEST_CHUNK, -(-paths // processes)))
    return Workload(0 if processes == 1 else processes, chunk)


def _paying_processes(paths: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    alone = paths / PATHS_A_SECOND
    return cores if cores > 1 and alone / cores + START_SECONDS < alone else 1


def evaluate_representatives(
    plan: Plan, combinations: NDArray[np.int64], workload: Workload
) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
    """Evaluate combinations chunk by chunk, in order.

    Yields
    ------
    The combinations of a chunk, and their metrics, one row each.
    """
    chunks = [combinations[start : start + workload.chunk] for start in range(0, len(combinations), workload.chunk)]
    if workload.processes == 0:
        for chunk in chunks:
            yield chunk, evaluate_paths(plan.market, *_path_arguments(plan, chunk))
    else:
        with _pool(plan.market, workload.processes) as pool:
            yield from _evaluate_in_pool(plan, chunks, pool, ahead=2 * workload.processes)


PathArguments = tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.bool_]]


def _path_arguments(plan: Plan, combinations: NDArray[np.int64]) -> PathArguments:
    rows = plan.rows(combinations)
    return posture_paths(plan, combinations), rows.weights, rows.daily


def _evaluate_in_pool(
    plan: Plan, chunks: Sequence[NDArray[np.int64]], pool: ProcessPoolExecutor, ahead: int
) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
    # The first chunk runs alone: it may have to compile, and two processes writing numba's cache at once can break it.
    first = pool.submit(_evaluate_in_worker, *_path_arguments(plan, chunks[0]))
    yield chunks[0], first.result()
    pending: dict[int, Future[pl.DataFrame]] = {}
    submitted = 1
    for number in range(1, len(chunks)):
        while submitted < len(chunks) and len(pending) < ahead:
            pending[submitted] = pool.submit(_evaluate_in_worker, *_path_arguments(plan, chunks[submitted]))
            submitted += 1
        yield chunks[number], pending.pop(number).result()


_worker_market: Market


def _start_worker(market: Market) -> None:
    global _worker_market  # noqa: PLW0603 - sent once to each process instead of with every chunk
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the parent, which keeps what is finished
    _worker_market = market


def _evaluate_in_worker(
    paths: NDArray[np.int8], weight_rows: NDArray[np.int64], daily: NDArray[np.bool_]
) -> pl.DataFrame:
    return evaluate_paths(_worker_market, paths, weight_rows, daily)


@contextmanager
def _pool(market: Market, processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes started afresh (a fork would copy the threads' locks), ended at once if the work is abandoned."""
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start_worker, initargs=(market,))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - no public way to stop a running task
            process.terminate()
        raise
    else:
        pool.shutdown()
