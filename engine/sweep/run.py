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
from numpy.typing import NDArray

from engine.sweep.distinct import representatives
from engine.sweep.grid import Grid, load_grid
from engine.sweep.ledger import Run, find_run, new_run, read_results, record_results, record_run, stored_combinations
from engine.sweep.plan import Plan, make_plan
from engine.sweep.workers import PATHS_A_SECOND, evaluate_representatives, plan_workload
from parquet_store import Store
from parquet_store.errors import EngineError

__all__ = ["Progress", "SweepError", "SweepRun", "run_sweep", "sweep"]

DEFAULT_MEMORY = 2_000_000_000

VECTORBT_LIMIT = 250_000
"""Combinations beyond which vectorbt is not asked: it would take hours."""


class SweepError(EngineError):
    """The sweep cannot be run as asked."""


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
        One row a combination: ``combination``, the swept parameters, ``same_as`` (the first combination that holds the
        same positions on every day), ``hindsight``, the metrics net of costs, and before costs under ``gross_``.
    reused
        True if the ledger already held all of it.
    """

    run: Run
    plan: Plan
    results: pl.DataFrame
    reused: bool


Progress = Callable[[int, int], None]
"""Called with the combinations finished and their total."""


def sweep(
    store: Store, grid: Grid | str | Path, *, memory: int = DEFAULT_MEMORY, jobs: int | None = None
) -> pl.DataFrame:
    """Evaluate a grid and return its results; see `run_sweep`, of which this is the short form."""
    return run_sweep(store, grid if isinstance(grid, Grid) else load_grid(Path(grid)), memory=memory, jobs=jobs).results


def run_sweep(
    store: Store,
    grid: Grid,
    *,
    as_of: datetime | None = None,
    memory: int = DEFAULT_MEMORY,
    jobs: int | None = None,
    anew: bool = False,
    progress: Progress | None = None,
) -> SweepRun:
    """Evaluate every combination of a grid with vectorbt and write each to the ledger.

    Parameters
    ----------
    store
        Where the data are read from and the ledger is kept.
    grid
        What to sweep.
    as_of
        Use only data stored by this moment.
    memory
        Budget in bytes for all processes together.
    jobs
        Number of processes; chosen by what pays if not given.
    anew
        Evaluate again even if the ledger holds the same sweep of the same data by the same code.
    progress
        Called after each chunk.

    Raises
    ------
    SweepError
        The grid is too large for vectorbt.
    KeyboardInterrupt
        Passed on after the run is marked as interrupted; what is finished stays.
    """
    _check_size(grid)
    began = time.perf_counter()
    plan = make_plan(store, grid, as_of=as_of)
    combinations = np.arange(grid.size)
    combinations = combinations[plan.is_feasible(combinations)]
    representative = representatives(plan, combinations)
    distinct = np.unique(representative)
    run = new_run(plan, "vectorbt", feasible=len(combinations), distinct=len(distinct))
    known = None if anew else find_run(store, run.key)
    if known is not None and known.status == "complete":
        return SweepRun(known, plan, read_results(store, known).drop("run_id", "seen_at"), reused=True)
    run = record_run(store, known or run, status="running")
    done = stored_combinations(store, run)
    missing = np.setdiff1d(distinct, representative[np.isin(combinations, done)])
    spent = run.seconds
    try:
        if len(missing):
            workload = plan_workload(plan, len(missing), memory=memory, jobs=jobs)
            finished = len(done)
            for chunk, metrics in evaluate_representatives(plan, missing, workload):
                results = _spread(plan, chunk, metrics, combinations, representative)
                record_results(store, run, results)
                finished += results.height
                if progress is not None:
                    progress(finished, len(combinations))
    except BaseException:
        record_run(store, run, status="interrupted", seconds=spent + time.perf_counter() - began)
        raise
    run = record_run(store, run, status="complete", seconds=spent + time.perf_counter() - began)
    return SweepRun(run, plan, read_results(store, run).drop("run_id", "seen_at"), reused=False)


def _check_size(grid: Grid) -> None:
    if grid.size > VECTORBT_LIMIT:
        hours = grid.size / PATHS_A_SECOND / 3600
        message = (
            f"{grid.name} has {grid.size:,} combinations, for which vectorbt could take {hours:,.1f} hours: "
            f"take larger steps in [grid] until there are at most {VECTORBT_LIMIT:,}"
        )
        raise SweepError(message)


def _spread(
    plan: Plan,
    chunk: NDArray[np.int64],
    metrics: pl.DataFrame,
    combinations: NDArray[np.int64],
    representative: NDArray[np.int64],
) -> pl.DataFrame:
    """Give every combination the metrics of its representative."""
    members = combinations[np.isin(representative, chunk)]
    same_as = representative[np.searchsorted(combinations, members)]
    return pl.concat(
        [
            pl.DataFrame({"combination": members}),
            plan.parameters(members),
            pl.DataFrame({"same_as": same_as, "hindsight": plan.has_hindsight(members)}),
            metrics[np.searchsorted(chunk, same_as)],
        ],
        how="horizontal",
    )
