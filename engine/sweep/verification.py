"""Hold a fused sweep to vectorbt: evaluate some of its combinations again and compare every metric."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import GROSS_METRICS, METRICS
from engine.sweep.plan import Plan
from engine.sweep.workers import evaluate_representatives, plan_workload
from parquet_store.errors import EngineError

__all__ = ["TOLERANCE", "Verification", "VerificationError", "verify"]

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


def verify(plan: Plan, results: pl.DataFrame, *, metric: str, memory: int) -> Verification:
    """Evaluate the best combinations and some at random with vectorbt.

    Parameters
    ----------
    results
        Of the fused evaluation, ordered by combination.
    metric
        By which the best are chosen; the largest values of either sign are among them.
    memory
        Budget in bytes.

    Raises
    ------
    VerificationError
        A metric differs by more than `TOLERANCE`, or is known to one evaluation only.
    """
    chosen = _chosen(results, metric)
    workload = plan_workload(plan, len(chosen), memory=memory, jobs=1)
    checked = pl.concat([metrics for _, metrics in evaluate_representatives(plan, chosen, workload)])
    fused = results.filter(pl.col("combination").is_in(chosen))
    found = [(_difference(fused[name], checked[name]), name) for name in (*(m.name for m in METRICS), *GROSS_METRICS)]
    largest, where = max(found)
    if not largest <= TOLERANCE:
        message = (
            f"the fused evaluation and vectorbt differ by {largest:.3g} in {where}, more than {TOLERANCE:g}: "
            "do not use this run; sweep again with --backend vectorbt and report the grid"
        )
        raise VerificationError(message)
    return Verification(len(chosen), largest, where)


def _chosen(results: pl.DataFrame, metric: str) -> NDArray[np.int64]:
    ranked = results.drop_nulls(metric).sort(metric, "combination")["combination"]
    ends = np.concatenate([ranked.head(CHECKED_BEST).to_numpy(), ranked.tail(CHECKED_BEST).to_numpy()])
    everything = results["combination"].to_numpy()
    count = min(CHECKED_AT_RANDOM, len(everything))
    drawn = np.random.default_rng(SEED).choice(everything, count, replace=False)
    return np.union1d(ends, drawn)


def _difference(ours: pl.Series, theirs: pl.Series) -> float:
    """Largest difference, relative above 1; infinite where only one side has a value."""
    if (ours.is_null() != theirs.is_null()).any():
        return float("inf")
    left, right = (side.drop_nulls().to_numpy().astype(np.float64) for side in (ours, theirs))
    return float(np.max(np.abs(left - right) / np.maximum(1.0, np.abs(right)), initial=0.0))
