"""Hold a fused sweep to vectorbt: evaluate some of its combinations again and compare every metric."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import GROSS_METRICS, METRICS
from engine.sweep.results import Results
from engine.sweep.statistics import Statistics
from engine.sweep.workers import evaluate_representatives, plan_workload
from parquet_store.errors import EngineError

__all__ = ["CHECKED_AT_RANDOM", "SEED", "TOLERANCE", "Verification", "VerificationError", "compare", "verify"]

TOLERANCE = 1e-9
CHECKED_BEST = 200
CHECKED_AT_RANDOM = 200
SEED = 7


class VerificationError(EngineError):
    """The two evaluations differ: the results must not be used."""


@dataclass(frozen=True)
class Verification:
    """How far two evaluations differ.

    Attributes
    ----------
    combinations
        How many were evaluated twice.
    largest_difference
        Over all metrics, absolute; relative where the metric exceeds 1.
    metric
        Where it was found.
    """

    combinations: int
    largest_difference: float
    metric: str


def verify(results: Results, statistics: Statistics, at_random: NDArray[np.int64], *, memory: int) -> Verification:
    """Evaluate the best trials, the worst and some at random with vectorbt.

    Parameters
    ----------
    results
        Of the fused evaluation.
    statistics
        Which remember the trials at both ends of the ranking.
    at_random
        Combinations that are checked whatever they earned.
    memory
        Budget in bytes.

    Raises
    ------
    VerificationError
        A metric differs by more than `TOLERANCE`, or is known to one evaluation only.
    """
    ends = [trials.settle().combinations[:CHECKED_BEST] for trials in (statistics.best, statistics.worst)]
    return compare(results, np.concatenate([*ends, at_random]), memory=memory)


def compare(results: Results, combinations: NDArray[np.int64], *, memory: int) -> Verification:
    """Evaluate some combinations with vectorbt; see `verify`."""
    chosen = np.unique(combinations)
    workload = plan_workload(results.plan, len(chosen), memory=memory, jobs=1)
    checked = pl.concat([metrics for _, metrics in evaluate_representatives(results.plan, chosen, workload)])
    fused = results.of(chosen)
    found = [(_difference(fused[name], checked[name]), name) for name in (*(m.name for m in METRICS), *GROSS_METRICS)]
    largest, where = max(found)
    if not largest <= TOLERANCE:
        message = (
            f"the fused evaluation and vectorbt differ by {largest:.3g} in {where}, more than {TOLERANCE:g}: "
            "do not use this run; sweep again with --backend vectorbt and report the grid"
        )
        raise VerificationError(message)
    return Verification(len(chosen), largest, where)


def _difference(ours: pl.Series, theirs: pl.Series) -> float:
    """Largest difference, relative above 1; infinite where only one side has a value."""
    if (ours.is_null() != theirs.is_null()).any():
        return float("inf")
    left, right = (side.drop_nulls().to_numpy().astype(np.float64) for side in (ours, theirs))
    return float(np.max(np.abs(left - right) / np.maximum(1.0, np.abs(right)), initial=0.0))
