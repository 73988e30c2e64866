"""The weeks in which growth stocks fell furthest behind the market, and what the market did next.

Source: credit stress strategies, part 1C. The spread of a week is the sum of its daily spreads; the worst are taken one
after the other, each at least ``apart`` sessions from those taken before. "SPY, next 30 days" runs from the close of
the week's last day to the last close within 30 calendar days: the close that completes the week is also the one that
is bought.

Which weeks are the worst is known only when the sample is over. The tradable form of a single row mends its fill, not
its choice; `engine.studies.momentum_crashes` asks the same of every crash that its own day could see.
"""

from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.parameters import parameter, same_parameter
from engine.strategies.momentum_crash import MomentumCrashParameters, momentum_spread
from engine.studies.history import History
from engine.studies.momentum_crashes import crash_types
from engine.studies.study import Figure, Study, StudyParameters, StudyResult
from engine.studies.timing import ONE_MONTH, calendar_days_on, traded_forward

__all__ = ["STUDY", "MomentumWorstWeeksParameters"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 1C"
SPREAD_REASON = "describes what prices did; which weeks are the worst is known only at the end of the sample"


class MomentumWorstWeeksParameters(StudyParameters):
    """The spread, how many of its worst weeks are shown, and how far ahead the market is followed."""

    growth: str = parameter("QQQ", unit="series", meaning="what stands for momentum", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)
    credit: str = parameter("HYG", unit="series", meaning="what tells a liquidation from a rotation", source=SOURCE)
    spread_window: int = same_parameter(MomentumCrashParameters, "spread_window")
    spread_reading: Literal["sum", "compound"] = same_parameter(MomentumCrashParameters, "spread_reading")
    weeks: int = parameter(8, ge=1, unit="count", meaning="how many weeks are shown", source=SOURCE)
    apart: int = parameter(5, ge=1, unit="sessions", meaning="least distance between two of them", source=SOURCE)
    days_on: int = parameter(30, ge=1, unit="calendar days", meaning="how far the document looks on", source=SOURCE)
    horizon: int = parameter(
        ONE_MONTH, ge=1, unit="sessions", meaning="how long the tradable form is held: a month", source="this engine"
    )
    hyg_window: int = same_parameter(MomentumCrashParameters, "hyg_window")
    hyg_drawdown: float = same_parameter(MomentumCrashParameters, "hyg_drawdown")


def run(history: History, parameters: MomentumWorstWeeksParameters) -> StudyResult:
    """Find the worst weeks and follow the market from each of them."""
    panel = history.panel_with(QQQ=parameters.growth, SPY=parameters.equity, HYG=parameters.credit)
    spread = history.inside(momentum_spread(panel, parameters.spread_window, parameters.spread_reading))
    drawdown, types = crash_types(history, panel, parameters.hyg_window, parameters.hyg_drawdown)
    closes = history.closes(parameters.equity)
    published = calendar_days_on(history.dates, closes, parameters.days_on)
    traded = traded_forward(closes, parameters.horizon)
    picked = worst_apart(spread, parameters.weeks, parameters.apart)
    frame = pl.DataFrame(
        {
            "date": history.dates[picked],
            "spread": spread[picked],
            "credit_drawdown": drawdown[picked],
            "type": [next((name for name, days in types.items() if days[row]), None) for row in picked],
            "equity_next_days": published[picked],
            "equity_traded": traded[picked],
        },
        nan_to_null=True,
    )
    figures = [figure for row in frame.iter_rows(named=True) for figure in _figures(row, parameters)]
    notes = (
        "the rows are chosen in hindsight: no close can tell that its week will stay among the worst of the sample; "
        "the study momentum_crashes takes every week beyond a fixed threshold instead",
    )
    return StudyResult({"momentum.worst_weeks": frame}, tuple(figures), notes)


def worst_apart(values: Floats, count: int, apart: int) -> list[int]:
    """Rows of the lowest values, lowest first, each at least `apart` rows from those before; ties in order of time."""
    picked: list[int] = []
    for row in np.argsort(values, kind="stable"):
        if len(picked) == count or np.isnan(values[row]):
            break
        if all(abs(int(row) - other) >= apart for other in picked):
            picked.append(int(row))
    return picked


def _figures(row: dict[str, Any], parameters: MomentumWorstWeeksParameters) -> list[Figure]:
    key = f"momentum.worst_weeks.{row['date']}"
    reason = (
        f"the document buys at the very close that completes the week and looks {parameters.days_on} calendar days on; "
        f"traded, {parameters.horizon} sessions run from the next close; that the week is among the worst is hindsight "
        "in both, and one week has no interval"
    )
    spread, published, traded = (row[name] for name in ("spread", "equity_next_days", "equity_traded"))
    return [
        Figure(f"{key}.date", reproduced=row["date"], n=1, episodes=1, reason=SPREAD_REASON),
        Figure(f"{key}.spread", reproduced=spread, n=1, episodes=1, reason=SPREAD_REASON),
        Figure(f"{key}.spy_next30", reproduced=published, tradable=traded, n=1, episodes=1, reason=reason),
    ]


STUDY = Study(
    name="momentum_worst_weeks",
    title="The worst weeks of growth stocks against the market, and the market after them",
    source=SOURCE,
    parameters=MomentumWorstWeeksParameters,
    series=lambda parameters: (parameters.growth, parameters.equity, parameters.credit),
    compute=run,
    answers=("momentum.worst_weeks",),
)
