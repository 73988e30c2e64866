"""Sweep a grid: plan, evaluate, write to the ledger.

The order of work is fixed by the grid alone. What is finished is in the ledger at once, so a sweep that is
interrupted goes on where it stopped when it is called again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from engine.sweep.evaluation import BackendChoice, choose_backend, distinct_trials, evaluate
from engine.sweep.grid import Grid, load_grid
from engine.sweep.ledger import (
    Run,
    Status,
    find_run,
    new_run,
    read_results,
    record_results,
    record_run,
    sole_writer,
    stored_combinations,
)
from engine.sweep.plan import Plan, make_plan
from engine.sweep.verification import VerificationError, verify
from engine.sweep.workers import require_budget
from parquet_store import Store

__all__ = ["Progress", "SweepRun", "run_sweep", "sweep"]

DEFAULT_MEMORY = 2_000_000_000


@dataclass(frozen=True)
class SweepRun:
    """A finished sweep.

    Attributes
    ----------
    run
        Its row in the ledger.
    plan
        What was evaluated.
    results
        One row a combination: ``combination``, the swept parameters, ``hindsight``, the metrics net of costs, and
        before costs under ``gross_``.
    reused
        True if the ledger already held all of it.
    """

    run: Run
    plan: Plan
    results: pl.DataFrame
    reused: bool


Progress = Callable[[int, int], None]
"""Called with the combinations finished and their total."""


def sweep(store: Store, grid: Grid | str | Path, *, backend: BackendChoice = "auto") -> pl.DataFrame:
    """Evaluate a grid and return its results; see `run_sweep`, of which this is the short form."""
    described = grid if isinstance(grid, Grid) else load_grid(Path(grid))
    return run_sweep(store, described, backend=backend).results


def run_sweep(
    store: Store,
    grid: Grid,
    *,
    backend: BackendChoice = "auto",
    as_of: datetime | None = None,
    memory: int = DEFAULT_MEMORY,
    jobs: int | None = None,
    anew: bool = False,
    progress: Progress | None = None,
) -> SweepRun:
    """Evaluate every combination of a grid and write each to the ledger.

    Parameters
    ----------
    store
        Where the data are read from and the ledger is kept.
    grid
        What to sweep.
    backend
        ``"vectorbt"``; ``"fused"``, which is hundreds of times faster and is held to vectorbt on a part of the
        combinations before it is believed; ``"auto"``: the first for grids up to some thousands, the second beyond.
    as_of
        Use only data stored by this moment.
    memory
        Budget in bytes for all processes together.
    jobs
        Number of processes (vectorbt) or threads (fused); chosen by what pays if not given.
    anew
        Evaluate again even if the ledger holds the same sweep of the same data by the same code.
    progress
        Called after each chunk.

    Raises
    ------
    SweepError
        The grid is too large for the backend, or another process is at the same sweep.
    MemoryBudgetError
        The memory is not enough to evaluate anything.
    VerificationError
        The fused evaluation and vectorbt differ. The run is marked as failed and never taken up again.
    KeyboardInterrupt
        Passed on after the run is marked as interrupted; what is finished stays.
    """
    chosen = choose_backend(grid, backend)
    began = time.perf_counter()
    plan = make_plan(store, grid, as_of=as_of)
    require_budget(plan.market, memory)
    combinations = np.arange(grid.size)
    combinations = combinations[plan.is_feasible(combinations)]
    run = new_run(plan, chosen, feasible=len(combinations))
    known = None if anew else find_run(store, run.key)
    if known is not None and known.status == "complete":
        return SweepRun(known, plan, read_results(store, known), reused=True)
    with sole_writer(store, run):
        run = record_run(store, known or run, status="running")
        done = stored_combinations(store, run)
        finished = len(done)
        if progress is not None:
            progress(finished, len(combinations))
        try:
            for part in evaluate(plan, combinations, done, chosen, memory=memory, jobs=jobs):
                record_results(store, run, part)
                finished += part.height
                if progress is not None:
                    progress(finished, len(combinations))
            results = read_results(store, run)
            if chosen == "fused":
                verify(plan, results, metric=grid.evaluation.metric, memory=memory)
        except BaseException as error:
            status: Status = "failed" if isinstance(error, VerificationError) else "interrupted"
            record_run(store, run, status=status, seconds=run.seconds + time.perf_counter() - began)
            raise
        seconds = run.seconds + time.perf_counter() - began
        run = record_run(store, run, status="complete", distinct=distinct_trials(results).height, seconds=seconds)
    return SweepRun(run, plan, results, reused=False)
