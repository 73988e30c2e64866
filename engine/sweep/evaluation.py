"""Evaluate combinations by one of the backends: block by block, in the order of the grid."""

import math
import shutil
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import GROSS_METRICS, METRICS
from engine.sweep.combinations import Selection
from engine.sweep.distinct import representatives
from engine.sweep.fused_backend import Evaluator
from engine.sweep.fused_blocks import evaluate_blocks, split
from engine.sweep.grid import Grid
from engine.sweep.keep import Keep
from engine.sweep.plan import Plan
from engine.sweep.workers import PATHS_A_SECOND, evaluate_representatives, plan_workload
from kernels.threads import thread_limit
from parquet_store import Store
from parquet_store.errors import EngineError

__all__ = [
    "METRIC_COLUMNS",
    "Backend",
    "BackendChoice",
    "SweepError",
    "choose_backend",
    "describe",
    "evaluate",
    "evaluate_some",
    "require_room",
]

Backend = Literal["vectorbt", "fused"]
BackendChoice = Literal["auto", "vectorbt", "fused"]
Block = tuple[NDArray[np.int64], pl.DataFrame]
"""Numbers of combinations, ascending, and their metrics, one row each."""

AUTO_LIMIT = 20_000
"""Combinations up to which vectorbt evaluates all of them; beyond, the fused loop does and vectorbt checks a part."""

VECTORBT_LIMIT = 250_000
"""Combinations beyond which vectorbt is not asked: it could take an hour or more."""

FUSED_A_SECOND = 250_000
"""Order of magnitude of what one thread evaluates a second, for advice."""

PATIENCE = 86_400.0
"""Seconds that one machine may be asked for."""

LEAST_BYTES = 4
"""Stored bytes of a result at the very least; measured, where most combinations have the result of their neighbour."""

METRIC_COLUMNS = (*(metric.name for metric in METRICS), *GROSS_METRICS)


class SweepError(EngineError):
    """The sweep cannot be run as asked."""


def choose_backend(grid: Grid, wanted: BackendChoice, *, distributed: bool = False) -> Backend:
    """Choose what evaluates a grid.

    Parameters
    ----------
    distributed
        Whether a cluster evaluates it, which only the fused loop does.

    Raises
    ------
    SweepError
        The grid is too large for the backend, or for one machine.
    """
    if distributed:
        if wanted == "vectorbt":
            message = "a cluster evaluates with the fused loop: leave out --backend vectorbt, or --cluster"
            raise SweepError(message)
        return "fused"
    backend: Backend = ("vectorbt" if grid.trials <= AUTO_LIMIT else "fused") if wanted == "auto" else wanted
    if backend == "vectorbt" and grid.trials > VECTORBT_LIMIT:
        hours = grid.trials / PATHS_A_SECOND / 3600
        message = (
            f"{grid.name} has {grid.trials:,} combinations, for which vectorbt could take {hours:,.1f} hours: "
            f"use --backend fused, or draw sample = {VECTORBT_LIMIT} of them in [evaluate]"
        )
        raise SweepError(message)
    most = math.floor(PATIENCE * FUSED_A_SECOND * thread_limit())
    if grid.trials > most:
        days = grid.trials / most
        message = (
            f"{grid.name} has {grid.trials:,} combinations, for which this machine could take {days:,.1f} days: draw "
            f"sample = {most} of them in [evaluate], which takes one, or share the work with --cluster"
        )
        raise SweepError(message)
    return backend


def require_room(store: Store, grid: Grid, keep: Keep, *, rows: int, bytes_a_row: float = LEAST_BYTES) -> None:
    """Refuse to store more than the disk has room for.

    Parameters
    ----------
    rows
        Results that are still to be stored.
    bytes_a_row
        What one of them takes.

    Raises
    ------
    SweepError
        There is no room; the message says what there is room for.
    """
    free = shutil.disk_usage(store.root).free
    if rows * bytes_a_row <= free:
        return
    message = (
        f"the results of {rows:,} combinations of {grid.name} need {rows * bytes_a_row / 1e9:,.1f} GB, and "
        f"{store.root} has {free / 1e9:,.1f} GB free (it keeps {keep}): there is room for {int(free / bytes_a_row):,}; "
        "--keep top:1000 stores the best and counts the others"
    )
    raise SweepError(message)


def evaluate(
    selection: Selection,
    backend: Backend,
    *,
    memory: int,
    jobs: int | None = None,
    start: int = 0,
    known: Callable[[NDArray[np.int64]], pl.DataFrame] | None = None,
    one_pass: bool = False,
) -> Iterator[Block]:
    """Evaluate the combinations of a selection from one on.

    Parameters
    ----------
    memory, jobs
        Budget in bytes and number of processes (vectorbt) or threads (fused).
    start
        Number of the first combination that is wanted.
    known
        Looks up results of combinations before ``start``: the rows that are known, ``combination`` and the metrics.
    one_pass
        See `engine.sweep.fused_blocks.evaluate_blocks`.

    Yields
    ------
    Combinations in ascending order without gaps, and their metrics.
    """
    if backend == "fused":
        return evaluate_blocks(selection.plan, selection.blocks(start), threads=jobs, one_pass=one_pass)
    return _evaluate_distinct(selection, start, memory=memory, jobs=jobs, known=known)


def _evaluate_distinct(
    selection: Selection,
    start: int,
    *,
    memory: int,
    jobs: int | None,
    known: Callable[[NDArray[np.int64]], pl.DataFrame] | None,
) -> Iterator[Block]:
    """Evaluate each distinct path of positions once, with vectorbt.

    The representative of a combination is the first with its positions. Once all representatives before a number are
    evaluated, so are all combinations before it: results come in the order of the grid.
    """
    plan = selection.plan
    combinations = np.concatenate([*selection.blocks(), np.empty(0, np.int64)])
    representative = representatives(plan, combinations)
    wanted = combinations >= start
    combinations, representative = combinations[wanted], representative[wanted]
    needed = np.unique(representative)
    held = None if known is None or start == 0 else known(needed[needed < start])
    numbers = np.empty(0, np.int64) if held is None else held["combination"].to_numpy()
    table = pl.DataFrame() if held is None else held.select(METRIC_COLUMNS)
    missing = np.setdiff1d(needed, numbers)
    if len(missing):
        workload = plan_workload(plan, len(missing), memory=memory, jobs=jobs)
        parts = evaluate_representatives(plan, missing, workload)
    else:
        parts = iter([(missing, pl.DataFrame())])
    told = 0
    for chunk, metrics in parts:
        table = pl.concat([table, metrics]) if table.width and metrics.width else (table if table.width else metrics)
        numbers = np.concatenate([numbers, chunk])
        left = missing[len(missing[missing <= chunk[-1]]) :] if len(chunk) else chunk
        upto = int(np.searchsorted(combinations, left[0])) if len(left) else len(combinations)
        order = np.argsort(numbers)
        places = order[np.searchsorted(numbers, representative[told:upto], sorter=order)]
        for piece in split(np.arange(upto - told)):
            yield combinations[told:upto][piece], table[places[piece]]
        told = upto


def evaluate_some(
    plan: Plan,
    combinations: NDArray[np.int64],
    backend: Backend,
    *,
    memory: int,
    evaluator: Evaluator | None = None,
) -> pl.DataFrame:
    """Metrics of some combinations, ascending, one row each; the same bits as in the sweep of the whole grid.

    Parameters
    ----------
    evaluator
        Of the plan, for a caller that comes again; only the fused loop uses it.
    """
    if not len(combinations):
        return pl.DataFrame(schema=dict.fromkeys(METRIC_COLUMNS, pl.Float64) | {"trades": pl.Int32})
    if backend == "fused":
        return pl.concat([metrics for _, metrics in evaluate_blocks(plan, split(combinations), evaluator=evaluator)])
    selection = Selection(plan, len(combinations), combinations)
    return pl.concat([metrics for _, metrics in evaluate(selection, backend, memory=memory, jobs=1)])


def describe(plan: Plan, combinations: NDArray[np.int64], metrics: pl.DataFrame) -> pl.DataFrame:
    """Put the number, the swept parameters and ``hindsight`` before the metrics of each combination."""
    identity = pl.DataFrame({"combination": combinations})
    hindsight = pl.DataFrame({"hindsight": plan.has_hindsight(combinations)})
    return pl.concat([identity, plan.parameters(combinations), hindsight, metrics], how="horizontal")
