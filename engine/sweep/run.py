"""Sweep a grid: plan, evaluate, write to the ledger.

The order of work is fixed by the grid alone. What is finished is in the ledger at once, so a sweep that is
interrupted goes on where it stopped when it is called again. Results go by: they are counted, some or all are stored,
and none stays in memory.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from engine.sweep.combinations import Selection, draw, select
from engine.sweep.evaluation import (
    Backend,
    BackendChoice,
    SweepError,
    choose_backend,
    evaluate,
    require_room,
)
from engine.sweep.grid import Grid, load_grid
from engine.sweep.keep import ALL, Keep
from engine.sweep.ledger import Run, Status, find_run, new_run, record_run, sole_writer
from engine.sweep.part import Part, kept_rows
from engine.sweep.plan import Plan, make_plan
from engine.sweep.progress_file import Progress as Noted
from engine.sweep.progress_file import read_progress, write_progress
from engine.sweep.results import Results, ResultsWriter, rows_stored
from engine.sweep.statistics import Statistics
from engine.sweep.verification import CHECKED_AT_RANDOM, SEED, VerificationError, verify
from engine.sweep.workers import require_budget
from parquet_store import Store
from parquet_store.errors import StoreError

if TYPE_CHECKING:
    from engine.sweep.cluster import Cluster

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
    source
        Where its results are: stored, or computed again when they are asked for.
    statistics
        What is known about all trials, those whose results were dropped included.
    reused
        True if the ledger already held all of it.
    timings
        Seconds by stage, in their order.
    """

    run: Run
    plan: Plan
    source: Results
    statistics: Statistics
    reused: bool
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def results(self) -> pl.DataFrame:
        """All stored results, read from the ledger at each call.

        One row a combination: ``combination``, the swept parameters, ``hindsight``, the metrics net of costs, and
        before costs under ``gross_``.

        Raises
        ------
        SweepError
            They are too many for one frame.
        """
        return self.source.frame()


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
    keep: Keep = ALL,
    cluster: str | None = None,
    one_pass: bool = False,
    anew: bool = False,
    progress: Progress | None = None,
) -> SweepRun:
    """Evaluate the combinations of a grid and write them to the ledger.

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
    keep
        What is stored of the results; all are counted.
    cluster
        Address of a Dask scheduler, or ``"local:N"`` for N processes of this machine: they evaluate, this process
        writes. The results are the same to the last bit.
    one_pass
        Look at every close of every combination in the fused loop, and remember nothing: slower, with the same results
        to the last bit.
    anew
        Evaluate again even if the ledger holds the same sweep of the same data by the same code.
    progress
        Called after each block.

    Raises
    ------
    SweepError
        The grid is too large for the backend or the disk, another process is at the same sweep, or there is no cluster.
    MemoryBudgetError
        The memory is not enough to evaluate anything.
    VerificationError
        The fused evaluation and vectorbt differ. The run is marked as failed and never taken up again.
    KeyboardInterrupt
        Passed on after the run is marked as interrupted; what is finished stays.
    """
    chosen = choose_backend(grid, backend, distributed=cluster is not None)
    if one_pass and chosen != "fused":
        message = f"one pass is a form of the fused loop, and {grid.name} is evaluated by vectorbt: use --backend fused"
        raise SweepError(message)
    clock = _Clock()
    with clock.measured("panel and tables"):
        plan = make_plan(store, grid, as_of=as_of)
        require_budget(plan.market, memory)
        selection = select(plan, memory=memory)
    run = new_run(plan, chosen, evaluated=selection.count, keep=keep)
    known = None if anew else _known_run(store, run, plan, chosen)
    if known is not None and known.status == "complete":
        results = _results(store, known, plan, chosen, memory)
        return SweepRun(known, plan, results, _statistics(store, known, results), reused=True, timings=clock.seconds)
    require_room(store, grid, keep, rows=_rows_to_store(keep, selection.count))
    with _workers(cluster) as workers, sole_writer(store, run):
        run = record_run(store, known or run, status="running")
        work = _Work(store, run, selection, keep, chosen, memory)
        began = time.perf_counter()
        try:
            work.do(_parts(work, jobs=jobs, workers=workers, one_pass=one_pass), clock, progress)
            results = _results(store, run, plan, chosen, memory)
            verified: dict[str, Any] = {}
            if chosen == "fused":
                with clock.measured("verification"):
                    checked = verify(
                        results, work.statistics, selection.some(CHECKED_AT_RANDOM, seed=SEED), memory=memory
                    )
                verified = {"verified": checked.combinations, "largest_difference": checked.largest_difference}
        except BaseException as error:
            status: Status = "failed" if isinstance(error, VerificationError) else "interrupted"
            if not isinstance(error, StoreError):  # a disk that has just refused will refuse again
                work.note()
            record_run(store, run, status=status, seconds=run.seconds + time.perf_counter() - began, **work.counts())
            raise
        seconds = run.seconds + sum(clock.seconds.values())
        run = record_run(store, run, status="complete", seconds=seconds, **work.counts(), **verified)
    return SweepRun(run, plan, results, work.statistics, reused=False, timings=clock.seconds)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        began = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began


class _Work:
    """What a run has done so far: its statistics, its stored results, and where it goes on."""

    def __init__(self, store: Store, run: Run, selection: Selection, keep: Keep, backend: Backend, memory: int) -> None:
        plan = selection.plan
        self.store, self.run_id, self.selection, self.keep, self.backend, self.memory = (
            store,
            run.run_id,
            selection,
            keep,
            backend,
            memory,
        )
        noted = read_progress(store, run.run_id)
        best = keep.count if keep.kind == "top" else 0
        self.start = 0 if noted is None else noted.start
        self.statistics = (
            Statistics.empty(plan.grid.evaluation.metric, best=best) if noted is None else noted.statistics
        )
        self.results = _results(store, run, plan, backend, memory)
        self.kept = draw(plan, keep.count, seed=plan.grid.evaluation.seed) if keep.kind == "sample" else None
        self._stored_to = self.results.last_stored()
        self._writer = ResultsWriter(store, run.run_id, plan.grid.axes, plan.grid.size)
        self._consistent = True

    def do(self, parts: Iterator[Part], clock: _Clock, progress: Progress | None) -> None:
        """Take in what is evaluated, part by part."""
        total = self.selection.count
        with clock.measured("evaluation"):
            if progress is not None:
                progress(self.statistics.evaluated, total)
            for part in parts:
                with self._learning():
                    self._take(part)
                if self._writer.due:
                    self.note()
                    self._require_room()
                if progress is not None:
                    progress(self.statistics.evaluated, total)
            if self.keep.kind == "top":
                with self._learning():
                    self._writer.add(self._best())
            self.start = self.selection.plan.grid.size
            self.note()
        clock.seconds["storing"] = self._writer.seconds
        clock.seconds["evaluation"] -= self._writer.seconds

    def note(self) -> None:
        """Store what is finished, and note how far the sweep has come.

        After a write that was broken off nothing is: it would be stored twice if that write took place. Whoever goes on
        with the sweep looks at what is stored, as after a process that was killed.
        """
        if self._writer.broken_off:
            return
        self._writer.write()
        if self._consistent:
            with self._learning():  # trials that wait are sorted in for it
                write_progress(self.store, self.run_id, Noted(self.start, self.statistics))

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Change what is known. If that is interrupted it is not noted: a part could be counted twice, or be lost."""
        self._consistent = False
        yield
        self._consistent = True

    def counts(self) -> dict[str, Any]:
        """What the run's row in the ledger says of its trials."""
        found = self.statistics
        return {
            "tried": found.evaluated,
            "distinct": found.distinct_trials,
            "distinct_exact": found.all_remembered,
            "never_traded": found.never_traded,
            "positive_count": found.positive,
            "stored": rows_stored(self.store, self.run_id),
        }

    def _take(self, part: Part) -> None:
        if self._stored_to >= 0 and part.rows.height:
            part.rows.filter(pl.col("combination") > self._stored_to).pipe(self._writer.add)
        else:
            self._writer.add(part.rows)
        part.learn(self.statistics)
        self.start = part.upto

    def _best(self) -> pl.DataFrame:
        """Results of the best trials, each by its first combination, and how many combinations are alike."""
        best = self.statistics.best.settle()
        count = min(self.keep.count, len(best.combinations))
        order = np.argsort(best.combinations[:count])
        numbers = best.combinations[:count][order]
        new = numbers > self._stored_to
        return self.results.of(numbers[new]).with_columns(pl.Series("alike", best.alike[:count][order][new]))

    def _require_room(self) -> None:
        if self._writer.stored:
            left = _rows_to_store(self.keep, self.selection.count) - self.results.stored - self._writer.stored
            each = self._writer.bytes / self._writer.stored
            require_room(self.store, self.selection.plan.grid, self.keep, rows=left, bytes_a_row=each)


def _workers(cluster: str | None) -> AbstractContextManager["Cluster | None"]:
    """Connect to the cluster, before the ledger hears of a sweep for which there may be none."""
    if cluster is None:
        return nullcontext()
    from engine.sweep.cluster import open_cluster  # noqa: PLC0415 - an optional extra

    return open_cluster(cluster)


def _parts(work: _Work, *, jobs: int | None, workers: "Cluster | None", one_pass: bool) -> Iterator[Part]:
    if workers is not None:
        from engine.sweep.cluster import evaluate_on_cluster  # noqa: PLC0415 - an optional extra

        return evaluate_on_cluster(work.selection, workers, work.keep, work.kept, start=work.start, one_pass=one_pass)
    return _local_parts(work, jobs, one_pass)


def _local_parts(work: _Work, jobs: int | None, one_pass: bool) -> Iterator[Part]:
    plan = work.selection.plan
    evaluated = evaluate(
        work.selection,
        work.backend,
        memory=work.memory,
        jobs=jobs,
        start=work.start,
        known=work.results.known,
        one_pass=one_pass,
    )
    for block, metrics in evaluated:
        yield Part(
            upto=int(block[-1]) + 1,
            rows=kept_rows(plan, work.keep, work.kept, block, metrics),
            learn=partial(Statistics.observe, combinations=block, metrics=metrics),
        )


def _rows_to_store(keep: Keep, evaluated: int) -> int:
    return evaluated if keep.kind == "all" else min(keep.count, evaluated)


def _known_run(store: Store, run: Run, plan: Plan, backend: Backend) -> Run | None:
    """Find what the ledger holds of a run: one that stored everything serves every wish."""
    everything = find_run(store, new_run(plan, backend, evaluated=run.evaluated).key)
    if everything is not None and (everything.status == "complete" or run.keep == str(ALL)):
        return everything
    return find_run(store, run.key)


def _results(store: Store, run: Run, plan: Plan, backend: Backend, memory: int) -> Results:
    return Results(store, run.run_id, plan, backend, memory, complete=run.keep == str(ALL))


def _statistics(store: Store, run: Run, results: Results) -> Statistics:
    """What is known about all trials of a finished run; computed again from its results where the note is lost."""
    noted = read_progress(store, run.run_id)
    if noted is not None:
        return noted.statistics
    if not results.complete:
        message = (
            f"what run {run.run_id} counted is lost: its file in {store.root / 'sweeps'} is absent or damaged, and its "
            "results were not all stored; sweep again with --anew"
        )
        raise SweepError(message)
    statistics = Statistics.empty(results.plan.grid.evaluation.metric)
    for part in results.batches():
        statistics.observe(part["combination"].to_numpy(), part)
    return statistics
