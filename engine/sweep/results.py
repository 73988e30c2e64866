"""The stored results of a run: written as they come, read as far as they are asked for."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import METRICS
from engine.sweep.combinations import draw
from engine.sweep.evaluation import METRIC_COLUMNS, Backend, SweepError, describe, evaluate_some
from engine.sweep.fused_backend import Evaluator, make_evaluator
from engine.sweep.plan import Plan
from engine.sweep.statistics import Statistics
from parquet_store import Store, append, read_manifest, scan
from parquet_store.reader import data_paths

__all__ = ["Results", "ResultsWriter", "distinct_stored"]

TABLE = "sweep_results"

LARGEST_FRAME = 2_000_000_000
"""Bytes of a frame of all results that is still handed out."""

EXACT_ROWS = 10_000_000
"""Stored results up to which quantiles are computed from all of them."""

SPREAD = 1_000_000
"""Results that a chart is drawn from at the most."""

_ROWS_OF_A_FILE = 4 * 32_768
_FIRST_PAUSE, _LONGEST_PAUSE, _SHARE = 0.25, 30.0, 0.25


@dataclass(frozen=True)
class Results:
    """The results of a run, wherever they are: in the ledger, or computed again, which gives the same bits.

    Attributes
    ----------
    store, run_id, plan
        Whose results.
    backend
        What evaluated them.
    memory
        Budget in bytes for what is computed again.
    complete
        Whether all results were stored.
    """

    store: Store
    run_id: str
    plan: Plan
    backend: Backend
    memory: int
    complete: bool

    def scan(self) -> pl.LazyFrame:
        """Return the stored results as they lie in the ledger, in no order, with the narrow types of the files."""
        return scan(self.store, TABLE, run_id=self.run_id).drop("run_id", "seen_at", strict=False)

    @cached_property
    def stored(self) -> int:
        """How many results are stored."""
        return rows_stored(self.store, self.run_id)

    @cached_property
    def _evaluator(self) -> Evaluator | None:
        return make_evaluator(self.plan) if self.backend == "fused" else None

    def computed(self, combinations: NDArray[np.int64]) -> pl.DataFrame:
        """Compute the metrics of some combinations, ascending, again; the bits are those of the sweep."""
        return evaluate_some(self.plan, combinations, self.backend, memory=self.memory, evaluator=self._evaluator)

    def last_stored(self) -> int:
        """Return the number of the last combination that is stored, -1 if none is."""
        if not self.stored:
            return -1
        return int(self.scan().select(pl.col("combination").max()).collect().item())

    def frame(self) -> pl.DataFrame:
        """Return all stored results, ascending, with 64-bit integers.

        Raises
        ------
        SweepError
            They would take too much memory.
        """
        size = self.stored * 8 * (len(METRIC_COLUMNS) + len(self.plan.grid.axes) + 1)
        if size > LARGEST_FRAME:
            message = (
                f"the {self.stored:,} results of {self.run_id} would take {size / 1e9:.1f} GB as one frame: ask for "
                "a part of them in SQL (view sweep_results), or read them with SweepRun.source.scan()"
            )
            raise SweepError(message)
        if not self.stored:
            nothing = np.empty(0, np.int64)
            return describe(self.plan, nothing, self.computed(nothing))
        return _widened(self.scan().sort("combination").collect(engine="in-memory"))

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the stored results file by file, each ascending, with 64-bit integers."""
        entries = [entry for entry in read_manifest(self.store).entries(TABLE) if entry.run_id == self.run_id]
        for path in data_paths(self.store, entries):
            yield _widened(pl.read_parquet(path, glob=False).drop("run_id", "seen_at").sort("combination"))

    def known(self, combinations: NDArray[np.int64]) -> pl.DataFrame:
        """Return those of some combinations that are stored, ascending: ``combination`` and the metrics."""
        if not self.stored or not len(combinations):
            columns = {"combination": pl.Int64} | dict.fromkeys(METRIC_COLUMNS, pl.Float64) | {"trades": pl.Int32}
            return pl.DataFrame(schema=columns)
        numbers = pl.Series(combinations)
        found = self.scan().filter(
            pl.col("combination").is_between(int(combinations[0]), int(combinations[-1])),
            pl.col("combination").cast(pl.Int64).is_in(numbers.implode()),
        )
        return _widened(found.select("combination", *METRIC_COLUMNS).collect(engine="in-memory")).sort("combination")

    def of(self, combinations: NDArray[np.int64]) -> pl.DataFrame:
        """Return the results of some combinations, ascending: from the ledger, else computed again.

        Columns as in `frame`. Combinations without a meaning have no row.
        """
        wanted = np.unique(combinations)
        wanted = wanted[self.plan.is_feasible(wanted)]
        known = self.known(wanted)
        missing = np.setdiff1d(wanted, known["combination"].to_numpy(), assume_unique=True)
        computed = self.computed(missing)
        metrics = pl.concat(
            [known, computed.select(pl.Series("combination", missing), pl.all()).select(known.columns)]
        ).sort("combination")
        return describe(self.plan, wanted, metrics.drop("combination"))

    def best(self, metric: str, count: int) -> pl.DataFrame:
        """Return the first combinations of the best trials with different results, and how many are ``alike``.

        Needs all results in the ledger; in memory are only the ones that are not worse than the last of the best.
        """
        higher = next(item.higher_is_better for item in METRICS if item.name == metric)
        ranked = self.scan().filter(pl.col(metric).is_not_null() & (pl.col("trades") > 0))
        distinct = ranked.select(metric).unique()
        top = (distinct.top_k if higher else distinct.bottom_k)(count, by=metric).collect()[metric]
        if top.is_empty():
            return pl.DataFrame(schema={"combination": pl.Int64, "alike": pl.Int64})
        last = pl.lit(float(top.min() if higher else top.max()))  # type: ignore[arg-type]  # a column of floats
        near = ranked.filter(pl.col(metric) >= last if higher else pl.col(metric) <= last)
        names = [item.name for item in METRICS]
        trials = near.group_by(names).agg(
            pl.col("combination").min().cast(pl.Int64), pl.len().cast(pl.Int64).alias("alike")
        )
        ordered = trials.collect().sort(metric, "combination", descending=[bool(higher), False]).head(count)
        return ordered.select("combination", "alike")

    def spread(self, most: int = SPREAD) -> pl.DataFrame:
        """Return results for a chart: all that are stored, or ``most`` combinations drawn at random."""
        if self.complete and self.stored <= most:
            return self.frame()
        selection = self.plan.grid.evaluation.sample
        drawn = draw(self.plan, min(most, selection or most), seed=self.plan.grid.evaluation.seed)
        return describe(self.plan, drawn, self.computed(drawn))

    def quantiles(self, statistics: Statistics, metric: str, shares: Sequence[float]) -> list[float | None]:
        """Quantiles of a metric over all combinations that trade: exact where `exact`, else of the counts by value."""
        if not self.exact:
            return statistics.quantiles(metric, shares)
        traded = self.scan().filter(pl.col("trades") > 0).select(metric).collect(engine="in-memory")[metric]
        return [traded.quantile(share, interpolation="linear") for share in shares]

    def values(self, statistics: Statistics, metric: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Values of a metric over all combinations that trade, ascending, and how many have each; see `quantiles`."""
        if not self.exact:
            return statistics.values(metric)
        known = self.scan().filter(pl.col("trades") > 0, pl.col(metric).is_not_null()).select(metric)
        values, counts = np.unique(known.collect(engine="in-memory")[metric].to_numpy(), return_counts=True)
        return values, counts

    @property
    def exact(self) -> bool:
        """Whether quantiles are computed from all results."""
        return self.complete and self.stored <= EXACT_ROWS


class ResultsWriter:
    """Gathers described results and writes them to the ledger: few files, none of them large.

    What is gathered is written when a file is full, and otherwise ever more seldom: a sweep of seconds leaves something
    when it is killed, and one of hours does not leave thousands of files.

    Parameters
    ----------
    store, run_id
        Where the results belong.
    grid_axes
        The swept parameters, whose types are narrowed.
    size
        Size of the grid.

    Attributes
    ----------
    broken_off
        Whether a write was interrupted: only the store knows whether it took place, and nothing more may be written.
    stored, bytes, seconds
        Rows and bytes written, and the time that it took.
    """

    def __init__(self, store: Store, run_id: str, grid_axes: Mapping[str, Sequence[Any]], size: int) -> None:
        self._store, self._run_id = store, run_id
        self._types = {"combination": _narrow(size - 1, 0), "trades": pl.UInt16()}
        for name, values in grid_axes.items():
            if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
                self._types[name] = _narrow(max(values), min(values))
        self._parts: list[pl.DataFrame] = []
        self._rows = 0
        self._began = self._written_at = time.monotonic()
        self.broken_off = False
        self.stored = 0
        self.bytes = 0
        self.seconds = 0.0

    def add(self, results: pl.DataFrame) -> None:
        """Gather described results."""
        if results.height:
            self._parts.append(results)
            self._rows += results.height

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        now = time.monotonic()
        pause = min(max(_FIRST_PAUSE, (now - self._began) * _SHARE), _LONGEST_PAUSE)
        return self._rows >= _ROWS_OF_A_FILE or now - self._written_at >= pause

    def write(self) -> None:
        """Write what was gathered, if anything was, as one file and one change of the store."""
        began = time.perf_counter()
        if self._parts:
            self.broken_off = True
            frame = pl.concat(self._parts).cast(self._types)  # type: ignore[arg-type]  # a dict of types
            frame = frame.select(pl.lit(self._run_id).alias("run_id"), pl.all())
            entry = append(self._store, TABLE, frame, run_id=self._run_id)
            self.stored += entry.rows
            self.bytes += entry.bytes
            self._parts, self._rows = [], 0
            self.broken_off = False
        self._written_at = time.monotonic()
        self.seconds += time.perf_counter() - began


def rows_stored(store: Store, run_id: str) -> int:
    """Rows that are stored of a run."""
    return sum(entry.rows for entry in read_manifest(store).entries(TABLE) if entry.run_id == run_id)


def distinct_stored(store: Store, run_id: str) -> int:
    """Combinations with different positions among the stored results of a run."""
    entries = read_manifest(store).entries(TABLE)
    if not any(entry.run_id == run_id for entry in entries):
        return 0
    metrics = [metric.name for metric in METRICS]
    rows = scan(store, TABLE, run_id=run_id).select(metrics).unique()
    return int(rows.select(pl.len()).collect().item())


def _narrow(greatest: int, least: int) -> pl.DataType:
    """The smallest type of integers that holds a range."""
    types = (pl.UInt8, pl.UInt16, pl.UInt32) if least >= 0 else (pl.Int8, pl.Int16, pl.Int32)
    for dtype in types:
        bits = int(str(dtype).removeprefix("U").removeprefix("Int"))
        low, high = (0, 2**bits - 1) if least >= 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if low <= least and greatest <= high:
            return dtype()
    return pl.Int64()


def _widened(frame: pl.DataFrame) -> pl.DataFrame:
    """Give integers 64 bits, so that arithmetic on them does not overflow unseen; trades have 32."""
    return frame.with_columns(pl.selectors.integer().cast(pl.Int64)).with_columns(pl.col("trades").cast(pl.Int32))
