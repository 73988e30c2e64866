"""The regimes in which VIX trended up: how long, how high, and what the market did meanwhile.

Source: credit stress strategies, part 1B. The market's return is the close of the regime's last day over that of its
first. Nobody knows a regime's last day on that day, nor on its first that it will last ten: the table describes, it
cannot be traded.
"""

import numpy as np
import polars as pl

from engine.parameters import parameter
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.vix_trend import SOURCE, VixTrendStudyParameters, trending
from kernels import run_table

__all__ = ["STUDY", "VixRegimesParameters"]

REASON = (
    "a regime's last day, and that it would last ten, are known afterwards only, so there is no tradable form; returns "
    "that a regime known at the close would have earned are under vix.returns_by_regime"
)

SCHEMA = {
    "first": pl.Date,
    "last": pl.Date,
    "days": pl.Int64,
    "avg_vix": pl.Float64,
    "peak_vix": pl.Float64,
    "spy": pl.Float64,
}


class VixRegimesParameters(VixTrendStudyParameters):
    """What counts as a regime worth listing."""

    least_days: int = parameter(10, ge=1, unit="sessions", meaning="shortest regime that is listed", source=SOURCE)


def run(history: History, parameters: VixRegimesParameters) -> StudyResult:
    """List the regimes that lasted long enough, in the order of time."""
    index, equity = history.closes(parameters.volatility), history.closes(parameters.equity)
    runs = run_table(trending(history, parameters))
    rows = []
    for begin, days in zip(runs.start[runs.state].tolist(), runs.length[runs.state].tolist(), strict=True):
        inside = slice(begin, begin + days)
        rows.append(
            {
                "first": history.dates[begin].item(),
                "last": history.dates[begin + days - 1].item(),
                "days": days,
                "avg_vix": float(np.nanmean(index[inside])),
                "peak_vix": float(np.nanmax(index[inside])),
                "spy": float(equity[begin + days - 1] / equity[begin] - 1.0),
            }
        )
    listed = [row for row in rows if row["days"] >= parameters.least_days]
    figures = [Figure(f"vix.regimes.count_{parameters.least_days}d", reproduced=len(listed), reason=REASON)]
    figures += [
        Figure(f"vix.regimes.{row['first']}.{column}", reproduced=value, reason=REASON)
        for row in listed
        for column, value in row.items()
    ]
    return StudyResult({"vix.regimes": pl.DataFrame(listed, schema=SCHEMA)}, tuple(figures))


STUDY = Study(
    name="vix_regimes",
    title="The regimes in which VIX trended up",
    source=SOURCE,
    parameters=VixRegimesParameters,
    series=lambda parameters: (parameters.volatility, parameters.equity),
    compute=run,
    answers=("vix.regimes",),
)
