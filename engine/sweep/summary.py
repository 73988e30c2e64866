"""What a sweep says, as plain values: the best beside their neighbours, all trials, the benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.metrics import METRICS
from engine.strategies import documentation
from engine.sweep.benchmarks import benchmarks
from engine.sweep.evaluation import distinct_trials
from engine.sweep.ledger import trials_of_strategy
from engine.sweep.neighbours import neighbour_medians
from engine.sweep.run import SweepRun
from engine.sweep.scrutiny import Scrutiny, scrutinise
from parquet_store import Store

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
        same positions; the first of them is shown), ``neighbours_median`` and ``neighbours`` (how many have a value),
        metrics.
    distribution
        ``metric`` and one column a quantile, over all combinations that trade.
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
    """
    grid = sweep.plan.grid
    ranked_by = (grid if metric is None else grid.ranked_by(metric)).evaluation.metric
    results = sweep.results
    traded = results.filter(pl.col("trades") > 0)
    winners = _best(sweep, ranked_by, best)
    trials = trials_of_strategy(store, sweep.run.strategy)
    return Summary(
        metric=ranked_by,
        best=winners,
        distribution=_distribution(traded),
        benchmarks=benchmarks(sweep.plan),
        never_traded=results.height - traded.height,
        without_meaning=sweep.run.combinations - sweep.run.feasible,
        positive=None if traded.is_empty() else float((traded["total_return"] > 0).mean()),  # type: ignore[arg-type]
        scrutiny=None if winners.is_empty() else scrutinise(sweep, winners["combination"][0], trials=trials),
        notes=tuple(_notes(sweep)),
    )


def _best(sweep: SweepRun, metric: str, count: int) -> pl.DataFrame:
    grid, results = sweep.plan.grid, sweep.results
    higher = next(item.higher_is_better for item in METRICS if item.name == metric)
    ranked = results.filter(pl.col(metric).is_not_null() & (pl.col("trades") > 0))
    ranked = distinct_trials(ranked).sort(metric, "combination", descending=[bool(higher), False]).head(count)
    values = np.full(grid.size, np.nan)
    values[results["combination"].to_numpy()] = results[metric].fill_null(np.nan).to_numpy()
    medians, counts = neighbour_medians(values, grid.axes, ranked["combination"].to_numpy())
    leading = ("combination", *grid.axes, "alike", "hindsight")
    return ranked.select(
        *leading,
        pl.Series("neighbours_median", medians).fill_nan(None),
        pl.Series("neighbours", counts),
        *(name for name in ranked.columns if name not in set(leading)),
    )


def _distribution(traded: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {"metric": name, **{f"{q:.0%}": traded[name].quantile(q, interpolation="linear") for q in QUANTILES}}
        for name in DISTRIBUTED
    ]
    return pl.DataFrame(rows)


def _notes(sweep: SweepRun) -> list[str]:
    """Collect simulated data, what the strategy has to say, hindsight, and values outside the documented ranges."""
    grid = sweep.plan.grid
    notes = ["the market is simulated: these numbers say nothing about any real one"] if sweep.run.simulated else []
    notes += sweep.plan.said()
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


def _is_documented(value: Any, documented: Sequence[Any]) -> bool:
    if _is_range(documented):
        return bool(documented[0] <= value <= documented[-1])
    return value in documented


def _is_range(documented: Sequence[Any]) -> bool:
    """Tell whether the document names two ends, and not words."""
    return isinstance(documented[0], int | float) and not isinstance(documented[0], bool)
