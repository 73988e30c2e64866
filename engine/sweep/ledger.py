"""The ledger of trials: every run and every combination's result, in the store, never overwritten.

A run is one grid on one state of the data by one version of the code; its key is the hash of the three. Its row is
written when it starts and again when it ends, so an abandoned run leaves its trials too, and the same sweep takes it
up again. A run that failed its verification is never taken up again: the same sweep starts anew.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.evaluation import SweepError, distinct_trials
from engine.sweep.grid import Grid
from engine.sweep.plan import Plan
from engine.version import code_version
from parquet_store import Store, append, scan
from parquet_store.files import disk_faults_explained, make_folder
from parquet_store.lock import LockHeldError, exclusive

__all__ = [
    "Run",
    "find_run",
    "new_run",
    "read_results",
    "record_results",
    "record_run",
    "sole_writer",
    "stored_combinations",
    "trials_of_strategy",
]

Status = Literal["running", "interrupted", "failed", "complete"]


@dataclass(frozen=True)
class Run:
    """One row of ``sweep_runs``.

    Attributes
    ----------
    run_id
        Name of the run: strategy, time of the start and the first digits of its key.
    key
        Hash of grid, data and code: equal keys mean equal results.
    strategy, grid_name, grid_hash, grid
        What was swept; ``grid`` is the whole description as JSON.
    backend
        What evaluated it.
    status
        ``running``, ``interrupted``, ``complete``, or ``failed``: vectorbt found other numbers, and the results of the
        run must not be used.
    combinations, feasible, distinct
        Size of the grid, combinations with a meaning, and those of them that hold different positions (0 unless the run
        is complete).
    first, last, sessions, warmup
        The sample as found in the data.
    commission_bps, slippage_bps
        Costs in basis points of traded notional on every leg.
    as_of, data_seen_at, data_fingerprint
        The moment whose knowledge was used (null: all), when the newest row was stored, hash of the panel.
    simulated
        Whether any of the data is made up.
    code_version
        See `engine.version`.
    started_at, seconds
        When it began (UTC), and how long it has taken, all attempts together.
    """

    run_id: str
    key: str
    strategy: str
    grid_name: str
    grid_hash: str
    grid: str
    backend: str
    status: Status
    combinations: int
    feasible: int
    distinct: int
    first: date
    last: date
    sessions: int
    warmup: str
    commission_bps: float
    slippage_bps: float
    as_of: datetime | None
    data_seen_at: datetime | None
    data_fingerprint: str
    simulated: bool
    code_version: str
    started_at: datetime
    seconds: float


_SCHEMA_OVERRIDES = {
    "as_of": pl.Datetime("us", "UTC"),
    "data_seen_at": pl.Datetime("us", "UTC"),
    "started_at": pl.Datetime("us", "UTC"),
}


def new_run(plan: Plan, backend: str, *, feasible: int) -> Run:
    """Describe a run that is about to start."""
    grid, panel = plan.grid, plan.panel
    fingerprint = panel.fingerprint()
    key = hashlib.sha256("|".join((grid.hash(), fingerprint, code_version(), backend)).encode()).hexdigest()[:16]
    started = datetime.now(UTC)
    dates = panel.sample_dates
    return Run(
        run_id=f"{grid.strategy.name}-{started:%Y%m%dT%H%M%S%f}-{key[:6]}",
        key=key,
        strategy=grid.strategy.name,
        grid_name=grid.name,
        grid_hash=grid.hash(),
        grid=_describe(grid),
        backend=backend,
        status="running",
        combinations=grid.size,
        feasible=feasible,
        distinct=0,
        first=dates[0].astype(date),
        last=dates[-1].astype(date),
        sessions=panel.sessions,
        warmup=grid.sample.warmup,
        commission_bps=grid.costs.commission_bps,
        slippage_bps=grid.costs.slippage_bps,
        as_of=panel.as_of,
        data_seen_at=panel.seen_at,
        data_fingerprint=fingerprint,
        simulated=panel.simulated,
        code_version=code_version(),
        started_at=started,
        seconds=0.0,
    )


def _describe(grid: Grid) -> str:
    return json.dumps(
        {
            "strategy": {"name": grid.strategy.name, **grid.fixed.model_dump(mode="json")},
            "grid": {name: list(values) for name, values in grid.axes.items()},
            "sample": {"first": grid.sample.first, "last": grid.sample.last, "warmup": grid.sample.warmup},
            "costs": grid.costs.model_dump(mode="json"),
            "evaluate": grid.evaluation.model_dump(mode="json"),
        },
        default=str,
    )


def find_run(store: Store, key: str) -> Run | None:
    """Return the latest run with this key, finished or not, that has not failed."""
    rows = scan(store, "sweep_runs").collect(engine="in-memory")
    if rows.is_empty():
        return None
    found = rows.filter(pl.col("key") == key, pl.col("status") != "failed").sort("started_at")
    return None if found.is_empty() else Run(**found.drop("seen_at").row(-1, named=True))


@contextmanager
def sole_writer(store: Store, run: Run) -> Iterator[None]:
    """Keep other processes from the same sweep meanwhile: both would write the result of each combination.

    Raises
    ------
    SweepError
        Another process is at it.
    """
    folder = store.root / "sweeps"
    with ExitStack() as held:
        try:
            with disk_faults_explained(f"cannot write to the ledger in {folder}"):
                make_folder(folder)
                held.enter_context(exclusive(folder / f"{run.key}.lock", wait=0.0))
        except LockHeldError:
            message = (
                f"another process is sweeping {run.grid_name} on the same data into the store at {store.root}: "
                "wait until it has finished; the same command then answers from the ledger"
            )
            raise SweepError(message) from None
        yield


def record_run(store: Store, run: Run, **changes: Any) -> Run:
    """Write the run's row, with changes, and return it as written."""
    changed = replace(run, **changes)
    frame = pl.DataFrame([asdict(changed)], schema_overrides=_SCHEMA_OVERRIDES)
    append(store, "sweep_runs", frame, run_id=run.run_id)
    return changed


def record_results(store: Store, run: Run, results: pl.DataFrame) -> None:
    """Write the results of some combinations of a run."""
    frame = results.select(pl.lit(run.run_id).alias("run_id"), pl.all())
    append(store, "sweep_results", frame, run_id=run.run_id)


def trials_of_strategy(store: Store, strategy: str) -> int:
    """Trials of a strategy in the ledger: combinations that hold different positions, over all its different grids.

    A grid counts once, by the run that tried most of it. What an abandoned run has tried counts like the rest.
    """
    runs = scan(store, "sweep_runs").collect(engine="in-memory")
    if runs.is_empty():
        return 0
    trials: dict[str, int] = {}
    for row in runs.filter(pl.col("strategy") == strategy).drop("seen_at").iter_rows(named=True):
        run = Run(**row)
        tried = run.distinct if run.status == "complete" else _tried(store, run)
        trials[run.grid_hash] = max(tried, trials.get(run.grid_hash, 0))
    return sum(trials.values())


def _tried(store: Store, run: Run) -> int:
    """Combinations with different positions among the stored results of a run."""
    return distinct_trials(read_results(store, run)).height if len(stored_combinations(store, run)) else 0


def stored_combinations(store: Store, run: Run) -> NDArray[np.int64]:
    """Numbers of the combinations of a run whose results are in the ledger, ascending."""
    rows = scan(store, "sweep_results", run_id=run.run_id)
    if "combination" not in rows.collect_schema():
        return np.empty(0, np.int64)
    return rows.select(pl.col("combination").sort()).collect(engine="in-memory")["combination"].to_numpy()


def read_results(store: Store, run: Run) -> pl.DataFrame:
    """All results of a run, one row a combination, in the order of the grid."""
    rows = scan(store, "sweep_results", run_id=run.run_id).drop("run_id", "seen_at")
    return rows.sort("combination").collect(engine="in-memory")
