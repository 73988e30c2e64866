"""Clusters of declining days, and the market three months on.

Source: credit stress strategies, part 4. A day is extreme if the market closed lower on at least 8 of the last 10 days;
an extreme day at most ten sessions after another belongs to its cluster. *As published*, three months are 63 rows that
begin with the cluster's first day, from its own close to the last one's. *Tradable*, the market is bought at the next
close and held for 63 sessions.

The document lists some clusters of its sample; here are all of them.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.parameters import parameter, same_parameter
from engine.strategies.capitulation import CapitulationScoreParameters, breadth_collapses
from engine.studies.event_tables import EventStudyParameters, event_table, frame, runs
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import THREE_MONTHS, close_to_close, traded_forward

__all__ = ["STUDY", "BreadthClustersParameters"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 4"
CLUSTERS = {
    "first": pl.Date,
    "last": pl.Date,
    "days": pl.Int64,
    "three_months": pl.Float64,
    "max_drawdown_first": pl.Float64,
    "three_months_traded": pl.Float64,
}
"""Columns of the table of clusters."""


class BreadthClustersParameters(EventStudyParameters):
    """When declines are extreme, and how long the market is followed."""

    equity: str = parameter(
        "SPY", unit="series", meaning="whose declines are counted, and what is bought", source=SOURCE
    )
    breadth_window: int = same_parameter(CapitulationScoreParameters, "breadth_window")
    breadth_declines: int = parameter(
        8, ge=1, documented=(7, 8), unit="days", meaning="declines that are extreme", source=SOURCE
    )
    quiet: int = parameter(
        10,
        ge=1,
        unit="sessions",
        meaning="sessions from an extreme day on in which the next belongs to its cluster",
        source="this engine",
    )
    horizon: int = parameter(THREE_MONTHS, ge=2, unit="sessions", meaning="three months", source=SOURCE)


def run(history: History, parameters: BreadthClustersParameters) -> StudyResult:
    """Find the clusters and follow the market from the first day of each."""
    panel = history.panel_with(SPY=parameters.equity)
    extreme = history.inside(breadth_collapses(panel, parameters.breadth_window, parameters.breadth_declines).met)
    closes = history.complete_closes(parameters.equity)
    published = close_to_close(closes, parameters.horizon - 1)
    traded = traded_forward(closes, parameters.horizon)
    rows = [
        {
            "first": history.dates[first].item(),
            "last": history.dates[last].item(),
            "days": int(extreme[first : last + 1].sum()),
            "three_months": published[first],
            "max_drawdown_first": closes[first : first + parameters.horizon].min() / closes[first] - 1.0,
            "three_months_traded": traded[first],
        }
        for first, last in runs(extreme, parameters.quiet)
    ]
    clusters = frame(rows, CLUSTERS)
    first_days = np.isin(history.dates, clusters["first"].to_numpy())
    statistics = {
        name: event_statistics(traded, days, horizon=parameters.horizon, seed=parameters.seed)
        for name, days in (("first day of a cluster", first_days), ("every extreme day", extreme))
    }
    tables = {
        "capitulation.breadth_clusters": clusters,
        "capitulation.breadth_clusters.traded": event_table(
            [({"event": name}, row) for name, row in statistics.items()]
        ),
    }
    all_of_them = _sentence(clusters)
    figures = [figure for row in clusters.iter_rows(named=True) for figure in _figures(row, all_of_them)]
    notes = (f"a list of clusters can be chosen so that all of it rose; {all_of_them}",)
    return StudyResult(tables, tuple(figures), notes)


def _sentence(clusters: pl.DataFrame) -> str:
    """What all clusters did, in words."""
    followed = clusters["three_months_traded"].drop_nulls()
    if not followed.len():
        return "no cluster of this sample could be followed for three months"
    return (
        f"of all {followed.len()} clusters of this sample that can be followed, {(followed > 0.0).sum()} were followed "
        f"by a gain when traded, and the mean is {np.mean(followed.to_numpy()):.1%}"
    )


def _figures(row: dict[str, Any], all_of_them: str) -> list[Figure]:
    key = f"capitulation.breadth_clusters.{row['first']}"
    return [
        Figure(f"{key}.date", reproduced=row["first"], n=1, episodes=1, reason="the first day of the cluster"),
        Figure(
            f"{key}.spy_3m",
            reproduced=row["three_months"],
            tradable=row["three_months_traded"],
            n=1,
            episodes=1,
            reason="the document buys at the very close that makes the cluster; traded, 63 sessions run from the next "
            f"close; one cluster has no interval: {all_of_them}",
        ),
        Figure(
            f"{key}.max_drawdown_first",
            reproduced=row["max_drawdown_first"],
            n=1,
            episodes=1,
            reason="the lowest close of the three months against the cluster's first; it describes, and has no "
            "tradable form",
        ),
    ]


STUDY = Study(
    name="breadth_clusters",
    title="Clusters of declining days, and the market three months on",
    source=SOURCE,
    parameters=BreadthClustersParameters,
    series=lambda parameters: (parameters.equity,),
    compute=run,
    answers=("capitulation.breadth_clusters",),
)
