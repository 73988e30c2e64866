"""High yield far below its high, and the market three months on.

Source: credit stress strategies, part 4. A day triggers if high yield's drawdown from its high of 60 sessions is beyond
5%. The document says that this happened in 2020 only, on ten days, which were followed by gains of 12% to 36%. Its
count is a parameter here: the range is that of so many first trigger days of the year of the deepest drawdown, followed
to the last of 63 rows that begin with the trigger's own. *Tradable*, the market is bought at the close after the same
days and held for 63 sessions; the table has all trigger days.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.parameters import parameter, same_parameter
from engine.strategies.capitulation import CapitulationScoreParameters, hyg_is_stressed
from engine.studies.event_tables import EventStudyParameters, event_table, frame, runs
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import THREE_MONTHS, close_to_close, traded_forward

__all__ = ["STUDY", "HighYieldDrawdownsParameters"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KEY = "capitulation.hyg_drawdown_5pct"
SOURCE = "credit stress strategies, part 4"
BY_YEAR = {
    "year": pl.Int64,
    "days": pl.Int64,
    "episodes": pl.Int64,
    "deepest": pl.Float64,
    "three_months_worst": pl.Float64,
    "three_months_best": pl.Float64,
    "traded_worst": pl.Float64,
    "traded_best": pl.Float64,
    "traded_mean": pl.Float64,
    "traded_positive": pl.Float64,
}
"""Columns of the table by year."""


class HighYieldDrawdownsParameters(EventStudyParameters):
    """When high yield is far below its high, and how long the market is followed."""

    credit: str = parameter("HYG", unit="series", meaning="high yield", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="what is bought", source=SOURCE)
    hyg_window: int = same_parameter(CapitulationScoreParameters, "hyg_window")
    hyg_drawdown: float = parameter(
        -0.05, lt=0, gt=-1, documented=(-0.05, -0.03), unit="fraction", meaning="drawdown that triggers", source=SOURCE
    )
    horizon: int = parameter(THREE_MONTHS, ge=2, unit="sessions", meaning="three months", source=SOURCE)
    published_triggers: int = parameter(
        10,
        ge=1,
        unit="count",
        meaning="trigger days that the document counts; its range is that of so many first ones of the deepest year",
        source=SOURCE,
    )


def run(history: History, parameters: HighYieldDrawdownsParameters) -> StudyResult:
    """Find the trigger days, by year, and follow the market from each."""
    credit = hyg_is_stressed(history.panel_with(HYG=parameters.credit), parameters.hyg_window, parameters.hyg_drawdown)
    triggers, drawdown = history.inside(credit.met), history.inside(credit.value)
    closes = history.complete_closes(parameters.equity)
    published = close_to_close(closes, parameters.horizon - 1)
    traded = traded_forward(closes, parameters.horizon)
    statistics = event_statistics(traded, triggers, horizon=parameters.horizon, seed=parameters.seed)
    years = history.dates.astype("datetime64[Y]").astype(int) + 1970
    rows = [
        {
            "year": int(year),
            "days": int(mine.sum()),
            "episodes": len(runs(mine)),
            "deepest": drawdown[mine].min(),
            **_ends("three_months", published[mine]),
            **_ends("traded", traded[mine]),
            **_middle(traded[mine]),
        }
        for year in np.unique(years[triggers])
        if (mine := triggers & (years == year)).any()
    ]
    by_year = frame(rows, BY_YEAR)
    tables = {
        KEY: by_year,
        f"{KEY}.traded": event_table([({"event": "every trigger day"}, statistics)]),
    }
    counted = _counted(triggers, drawdown, years, parameters.published_triggers)
    figures = (*_count_figures(by_year), _range_figure(triggers, counted, published, traded))
    notes = (
        "neighbouring trigger days share nearly the same three months: an episode of them is hardly more than a case",
    )
    return StudyResult(tables, figures, notes)


def _counted(triggers: Flags, drawdown: Floats, years: NDArray[np.int64], count: int) -> Flags:
    """Tell which trigger days the document seems to have counted: the first ones of the deepest year."""
    counted = np.zeros(len(triggers), np.bool_)
    if triggers.any():
        deepest = years[np.argmin(np.where(triggers, drawdown, np.inf))]
        counted[np.flatnonzero(triggers & (years == deepest))[:count]] = True
    return counted


def _range(returns: Floats) -> tuple[float, float] | None:
    known = returns[~np.isnan(returns)]
    return (float(known.min()), float(known.max())) if known.size else None


def _ends(name: str, returns: Floats) -> dict[str, float | None]:
    worst, best = _range(returns) or (None, None)
    return {f"{name}_worst": worst, f"{name}_best": best}


def _middle(returns: Floats) -> dict[str, float | None]:
    known = returns[~np.isnan(returns)]
    if not known.size:
        return {"traded_mean": None, "traded_positive": None}
    return {"traded_mean": float(known.mean()), "traded_positive": float((known > 0.0).mean())}


def _count_figures(by_year: pl.DataFrame) -> tuple[Figure, ...]:
    years = by_year["year"].to_list()
    days, episodes = int(by_year["days"].sum()), int(by_year["episodes"].sum())
    counted = ", ".join(f"{row['days']} in {row['year']}" for row in by_year.iter_rows(named=True)) or "none"
    return (
        Figure(
            f"{KEY}.triggers",
            reproduced=days,
            n=days,
            episodes=episodes,
            reason=f"these data have {days} trigger days: {counted}",
        ),
        Figure(
            f"{KEY}.year",
            reproduced=years[0] if len(years) == 1 else ", ".join(map(str, years)) or None,
            n=days,
            episodes=episodes,
            reason=f"these data have trigger days by year: {counted}",
        ),
    )


def _range_figure(triggers: Flags, counted: Flags, published: Floats, traded: Floats) -> Figure:
    """Worst and best three months after the days that the document counts; those after all days are in the reason."""
    followed = counted & ~np.isnan(traded)
    everything = _range(traded[triggers])
    all_days = f"{everything[0]:+.1%} to {everything[1]:+.1%}" if everything else "unknown"
    return Figure(
        f"{KEY}.spy_3m_range",
        reproduced=_range(published[counted]),
        tradable=_range(traded[counted]),
        n=int(followed.sum()),
        episodes=len(runs(followed)),
        reason=f"of the first {counted.sum()} trigger days of the year of the deepest drawdown, bought at the very "
        "close that triggers; traded, the same days are bought at the next close; the range of all "
        f"{int((triggers & ~np.isnan(traded)).sum())} trigger days, traded, is {all_days}",
    )


STUDY = Study(
    name="high_yield_drawdowns",
    title="High yield far below its high, and the market three months on",
    source=SOURCE,
    parameters=HighYieldDrawdownsParameters,
    series=lambda parameters: (parameters.credit, parameters.equity),
    compute=run,
    answers=(KEY,),
)
