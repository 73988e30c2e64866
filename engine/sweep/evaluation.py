"""Evaluate the combinations of a plan by one of the backends, a part at a time."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import METRICS
from engine.sweep.distinct import representatives
from engine.sweep.fused_blocks import evaluate_blocks, split
from engine.sweep.grid import Grid
from engine.sweep.plan import Plan
from engine.sweep.workers import PATHS_A_SECOND, evaluate_representatives, plan_workload
from parquet_store.errors import EngineError

__all__ = ["Backend", "BackendChoice", "SweepError", "choose_backend", "distinct_trials", "evaluate"]

Backend = Literal["vectorbt", "fused"]
BackendChoice = Literal["auto", "vectorbt", "fused"]

AUTO_LIMIT = 20_000
"""Combinations up to which vectorbt evaluates all of them; beyond, the fused loop does and vectorbt checks a part."""

VECTORBT_LIMIT = 250_000
"""Combinations beyond which vectorbt is not asked: it could take an hour or more."""

FUSED_LIMIT = 5_000_000
"""Combinations beyond which the results of a sweep no longer fit the memory of its summary."""


class SweepError(EngineError):
    """The sweep cannot be run as asked."""


def choose_backend(grid: Grid, wanted: BackendChoice) -> Backend:
    """Choose what evaluates a grid.

    Raises
    ------
    SweepError
        The grid is too large for the backend.
    """
    backend: Backend = ("vectorbt" if grid.size <= AUTO_LIMIT else "fused") if wanted == "auto" else wanted
    if backend == "vectorbt" and grid.size > VECTORBT_LIMIT:
        hours = grid.size / PATHS_A_SECOND / 3600
        message = (
            f"{grid.name} has {grid.size:,} combinations, for which vectorbt could take {hours:,.1f} hours: "
            f"use --backend fused, or take larger steps in [grid] until there are at most {VECTORBT_LIMIT:,}"
        )
        raise SweepError(message)
    if grid.size > FUSED_LIMIT:
        message = (
            f"{grid.name} has {grid.size:,} combinations, and one sweep holds at most {FUSED_LIMIT:,}: "
            "take larger steps in [grid], or split it into several grids"
        )
        raise SweepError(message)
    return backend


def evaluate(
    plan: Plan,
    combinations: NDArray[np.int64],
    done: NDArray[np.int64],
    backend: Backend,
    *,
    memory: int,
    jobs: int | None = None,
) -> Iterator[pl.DataFrame]:
    """Evaluate what is not yet done.

    Parameters
    ----------
    combinations
        All combinations with a meaning, ascending.
    done
        Those whose results are known.
    memory, jobs
        Budget in bytes and number of processes (vectorbt) or threads (fused).

    Yields
    ------
    Results of some combinations: ``combination``, the swept parameters, ``hindsight``, the metrics.
    """
    if backend == "fused":
        missing = np.setdiff1d(combinations, done, assume_unique=True)
        for block, metrics in evaluate_blocks(plan, split(missing), threads=jobs):
            yield _described(plan, block, metrics)
        return
    representative = representatives(plan, combinations)
    missing = np.setdiff1d(representative, representative[np.isin(combinations, done)])
    if not len(missing):
        return
    workload = plan_workload(plan, len(missing), memory=memory, jobs=jobs)
    for chunk, metrics in evaluate_representatives(plan, missing, workload):
        belongs = np.isin(representative, chunk)
        rows = np.searchsorted(chunk, representative[belongs])
        yield _described(plan, combinations[belongs], metrics[rows])


def _described(plan: Plan, combinations: NDArray[np.int64], metrics: pl.DataFrame) -> pl.DataFrame:
    identity = pl.DataFrame({"combination": combinations})
    hindsight = pl.DataFrame({"hindsight": plan.has_hindsight(combinations)})
    return pl.concat([identity, plan.parameters(combinations), hindsight, metrics], how="horizontal")


def distinct_trials(results: pl.DataFrame) -> pl.DataFrame:
    """The first of all combinations with the same metrics, and how many there are under ``alike``.

    Combinations that hold the same positions on every day have the same metrics; others differ in some digit.
    """
    metrics = [metric.name for metric in METRICS]
    counted = results.with_columns(pl.len().over(metrics).alias("alike"))
    return counted.unique(subset=metrics, keep="first", maintain_order=True)
