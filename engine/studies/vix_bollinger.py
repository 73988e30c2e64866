"""VIX above its upper Bollinger band, and the market afterwards, by how high VIX stands.

Source: credit stress strategies, part 4. A close is extreme if VIX is more than three standard deviations above its
average of 20 sessions. The document says that extremes of 40 and more were followed by strong recoveries, and that
those of 20 to 30 are less reliable; it prints no figures. A window of 20 that holds its own last value cannot show more
than 19 / sqrt(20), or 4.2, standard deviations.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.parameters import parameter, same_parameter
from engine.strategies.capitulation import vix_is_extreme
from engine.strategies.vix_regime import VixRegimeParameters
from engine.studies.event_tables import EventStudyParameters, event_table, frame, runs
from engine.studies.falls import bottom_after
from engine.studies.history import History
from engine.studies.study import Study, StudyResult
from engine.studies.timing import ONE_MONTH, THREE_MONTHS, traded_forward

__all__ = ["STUDY", "VixBollingerParameters"]

Flags = NDArray[np.bool_]

SOURCE = "credit stress strategies, part 4"
LEVELS = (20.0, 30.0, 40.0)
HORIZONS = (ONE_MONTH, THREE_MONTHS)
EVENTS = {
    "date": pl.Date,
    "vix": pl.Float64,
    "level": pl.String,
    "deviations": pl.Float64,
    "bottom": pl.Date,
    "sessions_to_bottom": pl.Int64,
    "further_fall": pl.Float64,
    "one_month_traded": pl.Float64,
    "three_months_traded": pl.Float64,
}
"""Columns of the table of events."""


class VixBollingerParameters(EventStudyParameters):
    """When VIX is extreme, and what is followed."""

    volatility: str = parameter("VIX", unit="series", meaning="whose bands are taken", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market that is followed", source=SOURCE)
    bollinger_window: int = same_parameter(VixRegimeParameters, "bollinger_window")
    bollinger_width: float = parameter(
        3.0, gt=0, unit="standard deviations", meaning="distance of the band from the average", source=SOURCE
    )


def run(history: History, parameters: VixBollingerParameters) -> StudyResult:
    """List the first day of every episode above the band, and tabulate by level what followed each day above it."""
    panel = history.panel_with(VIX=parameters.volatility)
    band = vix_is_extreme(panel, parameters.bollinger_window, parameters.bollinger_width)
    extreme, deviations = history.inside(band.met), history.inside(band.value)
    vix = history.closes(parameters.volatility)
    closes = history.complete_closes(parameters.equity)
    traded = {horizon: traded_forward(closes, horizon) for horizon in HORIZONS}
    rows = []
    for row, _last in runs(extreme):
        fall = bottom_after(closes, row)
        rows.append(
            {
                "date": history.dates[row].item(),
                "vix": vix[row],
                "level": _level(vix[row]),
                "deviations": deviations[row],
                "bottom": history.dates[fall.bottom].item(),
                "sessions_to_bottom": fall.bottom - row,
                "further_fall": closes[fall.bottom] / closes[row] - 1.0,
                "one_month_traded": traded[ONE_MONTH][row],
                "three_months_traded": traded[THREE_MONTHS][row],
            }
        )
    names = np.array([_level(value) for value in vix])
    groups: dict[str, Flags] = {name: extreme & (names == name) for name in dict.fromkeys(map(_level, (0.0, *LEVELS)))}
    table = event_table(
        [
            (
                {"level": name, "horizon": horizon},
                event_statistics(traded[horizon], flags, horizon=horizon, seed=parameters.seed),
            )
            for name, flags in {**groups, "all": extreme}.items()
            for horizon in HORIZONS
        ]
    )
    tables = {
        "capitulation.vix_bollinger": frame(rows, EVENTS),
        "capitulation.vix_bollinger.by_level": table,
    }
    notes = ("bottoms are known afterwards only; the returns are those of the next close to 21 and 63 sessions later",)
    return StudyResult(tables, (), notes)


def _level(vix: float) -> str:
    """The band of VIX that a value lies in, in words."""
    below = [level for level in LEVELS if vix >= level]
    above = [level for level in LEVELS if vix < level]
    if not below:
        return f"below {LEVELS[0]:.0f}"
    return f"{below[-1]:.0f} to {above[0]:.0f}" if above else f"{LEVELS[-1]:.0f} and above"


STUDY = Study(
    name="vix_bollinger",
    title="VIX above its upper Bollinger band, and the market afterwards",
    source=SOURCE,
    parameters=VixBollingerParameters,
    series=lambda parameters: (parameters.volatility, parameters.equity),
    compute=run,
)
