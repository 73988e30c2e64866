"""The ledger of runs: every sweep in the store, finished or not, never overwritten.

A run is one grid on one state of the data by one version of the code; its key is the hash of the three and, where not
all results are stored, of what is. Its row is written when it starts and again when it ends, so an abandoned run leaves
its trials too, and the same sweep takes it up again. A run that failed its verification is never taken up again: the
same sweep starts anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import polars as pl

from engine.sweep.evaluation import SweepError
from engine.sweep.grid import Grid
from engine.sweep.keep import ALL, Keep
from engine.sweep.plan import Plan
from engine.sweep.progress_file import read_progress
from engine.sweep.results import distinct_stored
from engine.version import code_version
from parquet_store import Store, append, scan
from parquet_store.files import disk_faults_explained, make_folder
from parquet_store.lock import LockHeldError, exclusive

__all__ = ["Run", "find_run", "new_run", "record_run", "sole_writer", "trials_of_strategy"]

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
    combinations, feasible, evaluated
        Size of the grid, combinations with a meaning, and those asked for: all of these, or the random sample.
    tried, distinct, distinct_exact
        Combinations evaluated by now; how many of them hold different positions; whether that is a count or, beyond
        65,536, an estimate.
    never_traded, positive
        Combinations evaluated by now that never held a position, and those with a net total return above 0.
    keep, stored
        What is stored (see `engine.sweep.keep`), and how many results are. All others were counted and dropped.
    sample, seed
        Combinations drawn at random and the seed of the draw; null where all are evaluated.
    verified, largest_difference
        Combinations of a fused evaluation that vectorbt evaluated again, and how far the two differ at most.
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
    evaluated: int = 0
    tried: int = 0
    distinct_exact: bool = True
    never_traded: int = 0
    positive: int = 0
    keep: str = "all"
    stored: int = 0
    sample: int | None = None
    seed: int | None = None
    verified: int = 0
    largest_difference: float | None = None


_SCHEMA_OVERRIDES = {
    "as_of": pl.Datetime("us", "UTC"),
    "data_seen_at": pl.Datetime("us", "UTC"),
    "started_at": pl.Datetime("us", "UTC"),
    "sample": pl.Int64(),
    "seed": pl.Int64(),
    "largest_difference": pl.Float64(),
}


def new_run(plan: Plan, backend: str, *, evaluated: int, keep: Keep = ALL) -> Run:
    """Describe a run that is about to start.

    Parameters
    ----------
    evaluated
        How many combinations it is asked to evaluate.
    keep
        What it stores.
    """
    grid, panel = plan.grid, plan.panel
    fingerprint = panel.fingerprint()
    parts = [grid.hash(), fingerprint, code_version(), backend]
    if keep != ALL:  # other runs serve every ranking
        parts += [str(keep), grid.evaluation.metric]
    key = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
    drawn = grid.evaluation.sample is not None
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
        feasible=plan.feasible_count,
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
        evaluated=evaluated,
        keep=str(keep),
        sample=evaluated if drawn else None,
        seed=grid.evaluation.seed if drawn else None,
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
    return None if found.is_empty() else _run(found.row(-1, named=True))


def _run(row: Mapping[str, Any]) -> Run:
    """Read a row of the ledger; rows of before know nothing of what was added since."""
    return Run(
        **{name: value for name, value in row.items() if name != "seen_at" and value is not None}, **_absent(row)
    )


def _absent(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None for name in ("as_of", "data_seen_at") if row.get(name) is None}


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


def trials_of_strategy(store: Store, strategy: str) -> int:
    """Trials of a strategy in the ledger: combinations that hold different positions, over all its different grids.

    A grid counts once, by the run that tried most of it. What an abandoned run has tried counts like the rest.
    """
    runs = scan(store, "sweep_runs").collect(engine="in-memory")
    if runs.is_empty():
        return 0
    trials: dict[str, int] = {}
    for row in runs.filter(pl.col("strategy") == strategy).iter_rows(named=True):
        run = _run(row)
        tried = run.distinct if run.status == "complete" else _tried(store, run)
        trials[run.grid_hash] = max(tried, trials.get(run.grid_hash, 0))
    return sum(trials.values())


def _tried(store: Store, run: Run) -> int:
    """Combinations with different positions that an unfinished run has tried, those it stored at least."""
    noted = read_progress(store, run.run_id)
    return max(
        run.distinct, 0 if noted is None else noted.statistics.distinct_trials, distinct_stored(store, run.run_id)
    )
