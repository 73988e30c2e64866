"""Momentum crashes told apart by credit: how long until the market's bottom and its recovery, and what followed.

Source: credit stress strategies, part 1C. A crash is a close at which growth stocks' return less the market's over a
week is below a threshold. It is a liquidation if high yield is far below its high of some weeks, and a rotation if it
is not. The document says that liquidations take three to six months to the market's bottom, and that rotations are
over in two to four weeks.

Crashes at closes in a row are one, of the type of its first close. Its bottom is the lowest close before the market is
back at the high it had; both are known afterwards only.
"""

from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.panel import Panel
from engine.parameters import parameter, same_parameter
from engine.strategies.momentum_crash import (
    MomentumCrashParameters,
    hyg_falls,
    hyg_is_stable,
    momentum_crashes,
)
from engine.studies.event_tables import EventStudyParameters, event_table, frame, runs
from engine.studies.falls import bottom_after
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import ONE_MONTH, THREE_MONTHS, close_to_close, traded_forward

__all__ = ["LIQUIDATION", "ROTATION", "STUDY", "MomentumCrashesParameters", "crash_types"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SOURCE = "credit stress strategies, part 1C"
LIQUIDATION, ROTATION = "liquidation", "rotation"
HORIZONS = (ONE_MONTH, THREE_MONTHS)
DAYS_A_WEEK = 7.0
DAYS_A_MONTH = 365.25 / 12.0
CREDIT_REASON = (
    "the document calls it a drawdown; it is the total return over the episode, and describes what prices did: there "
    "is no tradable form"
)

CRASHES = {
    "first": pl.Date,
    "last": pl.Date,
    "days": pl.Int64,
    "type": pl.String,
    "spread": pl.Float64,
    "credit_drawdown": pl.Float64,
    "below_high": pl.Float64,
    "bottom": pl.Date,
    "weeks_to_bottom": pl.Float64,
    "further_fall": pl.Float64,
    "recovery": pl.Date,
    "weeks_to_recovery": pl.Float64,
    "one_month": pl.Float64,
    "one_month_traded": pl.Float64,
    "three_months_traded": pl.Float64,
}
"""Columns of the table of crashes."""


class MomentumCrashesParameters(EventStudyParameters):
    """When there is a crash, and what makes it a liquidation."""

    growth: str = parameter("QQQ", unit="series", meaning="what stands for momentum", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)
    credit: str = parameter("HYG", unit="series", meaning="what tells a liquidation from a rotation", source=SOURCE)
    spread_window: int = same_parameter(MomentumCrashParameters, "spread_window")
    crash_spread: float = same_parameter(MomentumCrashParameters, "crash_spread")
    spread_reading: Literal["sum", "compound"] = same_parameter(MomentumCrashParameters, "spread_reading")
    hyg_window: int = same_parameter(MomentumCrashParameters, "hyg_window")
    hyg_drawdown: float = same_parameter(MomentumCrashParameters, "hyg_drawdown")


def run(history: History, parameters: MomentumCrashesParameters) -> StudyResult:
    """List the crashes with their course, and tabulate by type what followed."""
    panel = history.panel_with(QQQ=parameters.growth, SPY=parameters.equity, HYG=parameters.credit)
    crash = momentum_crashes(panel, parameters.spread_window, parameters.crash_spread, parameters.spread_reading)
    drawdown, types = crash_types(history, panel, parameters.hyg_window, parameters.hyg_drawdown)
    days = {name: history.inside(crash.met) & credit for name, credit in types.items()}
    spread = history.inside(crash.value)
    closes = history.complete_closes(parameters.equity)
    rows = []
    for first, last in runs(history.inside(crash.met)):
        kinds = [name for name, flags in days.items() if flags[first]]
        seen = {
            "first": history.dates[first].item(),
            "last": history.dates[last].item(),
            "days": last - first + 1,
            "type": kinds[0] if kinds else None,
            "spread": spread[first : last + 1].min(),
            "credit_drawdown": drawdown[first],
        }
        rows.append({**seen, **_course(history, closes, first)})
    crashes = frame(rows, CRASHES)
    tables = {
        "momentum.crashes": crashes,
        "momentum.crashes.recovery": _recovery(crashes),
        "momentum.crashes.by_type": _by_type(closes, days, parameters.seed),
    }
    figures = (*_recovery_figures(crashes), *_credit_figures(history, parameters))
    notes = (
        "bottoms and recoveries are known afterwards only; crashes within one fall of the market share its bottom, so "
        "that several rows may be one case",
    )
    return StudyResult(tables, figures, notes)


def crash_types(
    history: History, panel: Panel, hyg_window: int, hyg_drawdown: float
) -> tuple[Floats, dict[str, Flags]]:
    """High yield's drawdown, and the days on which it makes a crash a liquidation or a rotation; neither: undefined."""
    falling = hyg_falls(panel, hyg_window, hyg_drawdown)
    stable = hyg_is_stable(panel, hyg_window, hyg_drawdown)
    types = {LIQUIDATION: history.inside(falling.met), ROTATION: history.inside(stable.met)}
    return history.inside(falling.value), types


def _course(history: History, closes: Floats, row: int) -> dict[str, Any]:
    """What the market did after a crash: its bottom, its recovery, its returns."""
    fall = bottom_after(closes, row)
    days = history.dates
    return {
        "below_high": closes[row] / closes[fall.high] - 1.0,
        "bottom": days[fall.bottom].item(),
        "weeks_to_bottom": _days_between(days, row, fall.bottom) / DAYS_A_WEEK,
        "further_fall": closes[fall.bottom] / closes[row] - 1.0,
        "recovery": None if fall.recovery is None else days[fall.recovery].item(),
        "weeks_to_recovery": (None if fall.recovery is None else _days_between(days, row, fall.recovery) / DAYS_A_WEEK),
        "one_month": close_to_close(closes, ONE_MONTH)[row],
        "one_month_traded": traded_forward(closes, ONE_MONTH)[row],
        "three_months_traded": traded_forward(closes, THREE_MONTHS)[row],
    }


def _days_between(days: NDArray[np.datetime64], begin: int, end: int) -> float:
    return float((days[end] - days[begin]) / np.timedelta64(1, "D"))


def _recovery(crashes: pl.DataFrame) -> pl.DataFrame:
    """Times and depths by type: the middle and the ends of what happened."""
    times = ("weeks_to_bottom", "further_fall", "weeks_to_recovery")
    return (
        crashes.group_by("type")
        .agg(
            pl.len().alias("crashes"),
            pl.col("bottom").n_unique().alias("bottoms"),
            pl.col("recovery").is_null().sum().alias("not_recovered"),
            *(
                getattr(pl.col(name), part)().alias(f"{name}_{part}")
                for name in times
                for part in ("min", "median", "max")
            ),
        )
        .sort("type", nulls_last=True)
    )


def _by_type(closes: Floats, days: dict[str, Flags], seed: int) -> pl.DataFrame:
    """Tradable returns after every day of each type."""
    return event_table(
        [
            (
                {"type": name, "horizon": horizon},
                event_statistics(traded_forward(closes, horizon), flags, horizon=horizon, seed=seed),
            )
            for name, flags in days.items()
            for horizon in HORIZONS
        ]
    )


def _recovery_figures(crashes: pl.DataFrame) -> tuple[Figure, ...]:
    """The document's two sentences on time, each beside the shortest and the longest time that a crash took."""
    months = crashes.filter(type=LIQUIDATION).select(pl.col("weeks_to_bottom") * DAYS_A_WEEK / DAYS_A_MONTH, "bottom")
    weeks = crashes.filter(type=ROTATION).select("weeks_to_recovery", "bottom")
    return (
        Figure(
            "momentum.recovery.liquidation_months_to_bottom",
            reproduced=_ends(months["weeks_to_bottom"]),
            n=months.height,
            episodes=months["bottom"].n_unique(),
            reason=f"the shortest and the longest time of all {months.height} liquidations, which share "
            f"{months['bottom'].n_unique()} bottoms known afterwards only",
        ),
        Figure(
            "momentum.recovery.rotation_weeks_to_recovery",
            reproduced=_ends(weeks["weeks_to_recovery"]),
            n=weeks.height,
            episodes=weeks["bottom"].n_unique(),
            reason="the shortest and the longest time until the market was back at its high, of all "
            f"{weeks.height} rotations, "
            f"{weeks['weeks_to_recovery'].null_count()} of which had not recovered by the end of the sample",
        ),
    )


def _ends(values: pl.Series) -> tuple[float, float] | None:
    known = values.drop_nulls()
    return (float(known.min()), float(known.max())) if known.len() else None  # type: ignore[arg-type]


def _credit_figures(history: History, parameters: MomentumCrashesParameters) -> tuple[Figure, ...]:
    """What high yield lost in each episode of stress: the document's evidence that 2022 was a liquidation."""
    returns = history.returns(parameters.credit)
    figures = []
    for period in history.periods:
        inside = returns[period.covers(history.dates)]
        lost = float(np.prod(1.0 + inside[~np.isnan(inside)])) - 1.0
        figures.append(Figure(f"momentum.credit_in_stress.{period.name}", reproduced=lost, reason=CREDIT_REASON))
    return tuple(figures)


STUDY = Study(
    name="momentum_crashes",
    title="Momentum crashes: rotation against liquidation, with time to the bottom and to recovery",
    source=SOURCE,
    parameters=MomentumCrashesParameters,
    series=lambda parameters: (parameters.growth, parameters.equity, parameters.credit),
    compute=run,
    answers=("momentum.recovery", "momentum.credit_in_stress"),
)
