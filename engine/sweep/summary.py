"""What a sweep says, as plain values: the best beside their neighbours, all trials, the benchmarks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.metrics import METRICS
from engine.strategies import documentation
from engine.sweep.benchmarks import benchmarks
from engine.sweep.evaluation import SweepError
from engine.sweep.keep import ALL
from engine.sweep.ledger import record_run, trials_of_strategy
from engine.sweep.neighbours import neighbour_medians
from engine.sweep.run import SweepRun
from engine.sweep.scrutiny import Scrutiny, scrutinise
from engine.sweep.verification import Verification, VerificationError, compare
from parquet_store import Store
from parquet_store.calendar import EARLIEST, sessions

__all__ = ["Summary", "summarise"]

BEST = 10
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
DISTRIBUTED = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown", "trades", "exposure", "turnover")


@dataclass(frozen=True)
class Summary:
    """A sweep in one screen.

    Attributes
    ----------
    metric
        By which combinations are ranked.
    best
        The best combinations that hold different positions: swept parameters, ``alike`` (how many combinations hold the
        same positions; the first of them is shown), ``neighbours_median`` and ``neighbours`` (how many hold other
        positions and have a value), metrics.
    distribution
        ``metric`` and one column a quantile, over all combinations that trade.
    exact
        Whether the inner quantiles are exact; otherwise they are cut to eleven significant bits.
    benchmarks
        SPY bought and held, and the position always on.
    never_traded
        Combinations with a meaning that never hold a position.
    without_meaning
        Combinations of the grid that were left out.
    positive
        Share of the trading combinations whose net total return is above 0; None if none trades.
    scrutiny
        What the first of the best is worth; None if nothing trades.
    verification
        Of a fused sweep: how far it differs from vectorbt over all combinations checked, those that are named here and
        in the walk-forward test among them; None where vectorbt evaluated all.
    notes
        Sentences that must stand beside the numbers.
    """

    metric: str
    best: pl.DataFrame
    distribution: pl.DataFrame
    benchmarks: pl.DataFrame
    never_traded: int
    without_meaning: int
    positive: float | None
    scrutiny: Scrutiny | None
    notes: tuple[str, ...]
    exact: bool = True
    verification: Verification | None = None


def summarise(store: Store, sweep: SweepRun, *, metric: str | None = None, best: int = BEST) -> Summary:
    """Summarise a sweep.

    Parameters
    ----------
    store
        Whose ledger tells how many trials the winner was chosen from.
    metric
        Rank by this one instead of the grid's own choice.
    best
        How many of the best to show.

    Raises
    ------
    SweepError
        Not all results are stored, and the sweep was ranked by another metric.
    VerificationError
        vectorbt has other numbers for a combination that is named; the run is marked as failed.
    """
    grid, found = sweep.plan.grid, sweep.statistics
    ranked_by = (grid if metric is None else grid.ranked_by(metric)).evaluation.metric
    winners = _best(sweep, ranked_by, best)
    trials = trials_of_strategy(store, sweep.run.strategy)
    scrutiny = None if winners.is_empty() else scrutinise(sweep, winners["combination"][0], trials=trials)
    return Summary(
        metric=ranked_by,
        best=winners,
        distribution=_distribution(sweep),
        benchmarks=benchmarks(sweep.plan),
        never_traded=found.never_traded,
        without_meaning=sweep.run.combinations - sweep.run.feasible,
        positive=found.positive_share,
        scrutiny=scrutiny,
        notes=tuple(_notes(sweep)),
        exact=sweep.source.exact,
        verification=_verification(store, sweep, winners, scrutiny),
    )


def _best(sweep: SweepRun, metric: str, count: int) -> pl.DataFrame:
    grid = sweep.plan.grid
    first = _first(sweep, metric, count)
    numbers = first["combination"].to_numpy()
    rows = sweep.source.of(numbers).join(first, on="combination", how="left")
    higher = next(item.higher_is_better for item in METRICS if item.name == metric)
    ranked = rows.sort(metric, "combination", descending=[bool(higher), False])
    medians, counts = neighbour_medians(sweep.source.of, grid.axes, ranked["combination"].to_numpy(), metric)
    leading = ("combination", *grid.axes, "alike", "hindsight")
    return ranked.select(
        *leading,
        pl.Series("neighbours_median", medians).fill_nan(None),
        pl.Series("neighbours", counts),
        *(name for name in ranked.columns if name not in set(leading)),
    )


def _first(sweep: SweepRun, metric: str, count: int) -> pl.DataFrame:
    """The first combinations of the best trials and how many are ``alike``, as remembered or from all results."""
    remembered = sweep.statistics.best.settle()
    if metric == sweep.statistics.metric and count <= remembered.capacity:
        parts = {"combination": remembered.combinations, "alike": remembered.alike}
        order = np.lexsort((remembered.combinations, remembered.ranks))[:count]
        return pl.DataFrame({name: values[order] for name, values in parts.items()})
    if not sweep.source.complete:
        message = (
            f"run {sweep.run.run_id} was ranked by {sweep.statistics.metric} and keeps {sweep.run.keep}: to rank it by "
            f"{metric}, sweep again with --metric {metric}"
        )
        raise SweepError(message)
    return sweep.source.best(metric, count)


def _distribution(sweep: SweepRun) -> pl.DataFrame:
    rows = []
    for name in DISTRIBUTED:
        values = sweep.source.quantiles(sweep.statistics, name, QUANTILES)
        rows.append({"metric": name, **{f"{q:.0%}": value for q, value in zip(QUANTILES, values, strict=True)}})
    return pl.DataFrame(rows, schema={"metric": pl.String} | {f"{q:.0%}": pl.Float64 for q in QUANTILES})


def _verification(
    store: Store, sweep: SweepRun, winners: pl.DataFrame, scrutiny: Scrutiny | None
) -> Verification | None:
    """Check what is named, and join it to what was checked at the end of the sweep."""
    if sweep.run.backend != "fused":
        return None
    named = [winners["combination"].to_numpy()]
    if scrutiny is not None and scrutiny.walk_forward is not None:
        named.append(scrutiny.compared[scrutiny.walk_forward.windows["trial"].unique().to_numpy()])
    numbers = np.unique(np.concatenate(named))
    before = sweep.run.largest_difference or 0.0
    if not len(numbers):
        return Verification(sweep.run.verified, before, "")
    try:
        checked = compare(sweep.source, numbers, memory=sweep.source.memory)
    except VerificationError:
        record_run(store, sweep.run, status="failed")
        raise
    largest = max(before, checked.largest_difference)
    return Verification(sweep.run.verified + checked.combinations, largest, checked.metric)


def _notes(sweep: SweepRun) -> list[str]:
    """Collect simulated data, what the strategy has to say, hindsight, and values outside the documented ranges."""
    grid = sweep.plan.grid
    notes = ["the market is simulated: these numbers say nothing about any real one"] if sweep.run.simulated else []
    notes += sweep.plan.said()
    notes += _dropped(sweep)
    notes += _cut(sweep)
    for name, values in grid.axes.items():
        documented = documentation(grid.strategy.parameters, name).documented
        outside = [value for value in values if documented and not _is_documented(value, documented)]
        if documented and outside:
            shown = ", ".join(str(value) for value in outside[:3]) + (", …" if len(outside) > 3 else "")
            if _is_range(documented):
                notes.append(f"{name} = {shown} lies outside the documented range {documented[0]} to {documented[-1]}")
            else:
                notes.append(f"{name} = {shown} is not documented: {', '.join(str(value) for value in documented)}")
    return notes


def _dropped(sweep: SweepRun) -> Iterator[str]:
    """Say what was not evaluated or not stored, and what of the figures is therefore no exact one."""
    run = sweep.run
    if run.sample is not None and run.evaluated < run.feasible:
        yield f"{run.evaluated:,} of {run.feasible:,} combinations were drawn at random, seed {run.seed}"
    if run.keep != str(ALL):
        dropped = run.tried - run.stored
        yield f"{dropped:,} of {run.tried:,} results were counted and dropped, {run.stored:,} are stored ({run.keep})"
    if not sweep.source.exact:
        yield (
            "quantiles are read from counts by value, cut to eleven significant bits: nearer to 0 than the exact ones "
            "by less than a thousandth; counts, shares and both ends are exact"
        )
    if not run.distinct_exact:
        yield (
            f"the number of different positions, {run.distinct:,}, is an estimate with a standard error of 0.4%; tests "
            "of the winner look at a random sample of them"
        )


def _cut(sweep: SweepRun) -> Iterator[str]:
    """Say where the data begin after, or end before, what was asked for."""
    asked, run = sweep.plan.grid.sample, sweep.run
    if asked.first is not None and sessions(max(asked.first, EARLIEST), run.first).height > 1:
        yield f"the sample was to begin on {asked.first}, and the data begin on {run.first}"
    if asked.last is not None and sessions(run.last, asked.last).height > 1:
        yield f"the sample was to end on {asked.last}, and the data end on {run.last}"


def _is_documented(value: Any, documented: Sequence[Any]) -> bool:
    if _is_range(documented):
        return bool(documented[0] <= value <= documented[-1])
    return value in documented


def _is_range(documented: Sequence[Any]) -> bool:
    """Tell whether the document names two ends, and not words."""
    return isinstance(documented[0], int | float) and not isinstance(documented[0], bool)
