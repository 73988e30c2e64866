"""The days on which the long average of the financial sector turns down, and what the market did next.

Source: credit stress strategies, parts 1A and 4. A turn is the first close at which the average is lower than some
sessions before; the first turn of a sample may be the first day on which that can be computed. The bottom is the
market's lowest close within the following sessions, the further fall is that close over the close of the turn.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.parameters import parameter, same_parameter
from engine.strategies.pair import PairParameters, xlf_average_falls
from engine.studies.event_tables import with_adjusted_p_values
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult
from engine.studies.timing import ONE_MONTH, THREE_MONTHS, traded_forward
from kernels import run_table

__all__ = ["STUDY", "SlopeEvent", "SlopeEventParameters", "slope_events"]

Floats = NDArray[np.float64]

KEY = "pair.xlf_slope_events"
SOURCE = "credit stress strategies, parts 1A and 4"
REASON = (
    "the bottom is known afterwards only, so there is no tradable form; what one would have earned from the close "
    f"after a turn is in the table {KEY}.forward"
)
FALL_REASON = f"from the close of the turn to the lowest close; {REASON}"
NOTE_REASON = (
    "words of the document, which this engine's own thresholds hold to numbers: lagging where most of the fall had "
    "happened by the turn, brief and without a major drawdown where the average soon rose again and the market hardly "
    "fell"
)

HORIZONS = (ONE_MONTH, THREE_MONTHS, 2 * THREE_MONTHS)


class SlopeEventParameters(StudyParameters):
    """What turns, and what is watched afterwards."""

    financials: str = parameter("XLF", unit="series", meaning="sector whose average turns", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="market that is watched", source=SOURCE)
    xlf_dma: int = same_parameter(PairParameters, "xlf_dma")
    slope_lookback: int = same_parameter(PairParameters, "slope_lookback")
    watched: int = parameter(
        126, ge=1, unit="sessions", meaning="sessions among which the bottom is looked for", source="this engine"
    )
    lagging_share: float = parameter(
        0.75, gt=0, le=1, unit="fraction", meaning="share of the fall that makes a turn lagging", source="this engine"
    )
    brief: int = parameter(
        21, ge=1, unit="sessions", meaning="an average that falls for less is brief", source="this engine"
    )
    major_drawdown: float = parameter(
        -0.10, lt=0, gt=-1, unit="fraction", meaning="a lesser further fall is not major", source="this engine"
    )
    seed: int = parameter(0, ge=0, unit="number", meaning="seed of the bootstrap", source="this engine")


@dataclass(frozen=True)
class SlopeEvent:
    """One turn.

    Attributes
    ----------
    event
        Name of the period in which it falls, the first of it only; else its day.
    turned, falling_for
        Day of the turn, and sessions for which the average then falls.
    bottom, weeks_to_bottom, further_drawdown
        Of the market's lowest close among the sessions watched.
    share_of_fall
        Share of the fall, from the highest close in the year before the turn to the bottom, that had happened by then.
    note
        ``lagging``, ``brief, no major drawdown``, or None.
    """

    event: str
    turned: date
    falling_for: int
    bottom: date
    weeks_to_bottom: float
    further_drawdown: float
    share_of_fall: float
    note: str | None


def slope_events(history: History, parameters: SlopeEventParameters) -> list[SlopeEvent]:
    """List the turns of the sample, in the order of time."""
    falls = _falls(history, parameters)
    runs = run_table(falls)
    equity = history.closes(parameters.equity)
    events: list[SlopeEvent] = []
    for place, length in zip(runs.start[runs.state].tolist(), runs.length[runs.state].tolist(), strict=True):
        turned = history.dates[place].item()
        name = next(
            (
                period.name
                for period in (*history.periods, *history.calm_periods)
                if period.first <= turned <= period.last and period.name not in {event.event for event in events}
            ),
            turned.isoformat(),
        )
        events.append(_event(history.dates, equity, parameters, name=name, place=place, length=length))
    return events


def _falls(history: History, parameters: SlopeEventParameters) -> NDArray[np.bool_]:
    panel = history.panel_with(XLF=parameters.financials)
    return history.inside(xlf_average_falls(panel, parameters.xlf_dma, parameters.slope_lookback).met)


def _event(
    dates: NDArray[np.datetime64],
    equity: Floats,
    parameters: SlopeEventParameters,
    *,
    name: str,
    place: int,
    length: int,
) -> SlopeEvent:
    low = place + int(np.nanargmin(equity[place : place + parameters.watched]))
    before = float(np.nanmax(equity[max(0, place - 251) : place + 1]))
    at_turn, at_low = float(equity[place]), float(equity[low])
    further = at_low / at_turn - 1.0
    share = (before - at_turn) / (before - at_low) if before > at_low else 0.0
    major = at_low / before - 1.0 <= parameters.major_drawdown
    note = None
    if length < parameters.brief and further > parameters.major_drawdown:
        note = "brief, no major drawdown"
    elif share >= parameters.lagging_share and major:
        note = "lagging"
    turned, bottom = dates[place].item(), dates[low].item()
    weeks = (bottom - turned).days / 7.0
    return SlopeEvent(name, turned, length, bottom, weeks, further, share, note)


def run(history: History, parameters: SlopeEventParameters) -> StudyResult:
    """List the turns, and what a buyer at the close after a turn would have earned."""
    events = slope_events(history, parameters)
    columns = {
        "turned": REASON,
        "spy_bottom": REASON,
        "weeks_to_bottom": REASON,
        "further_drawdown": FALL_REASON,
        "note": NOTE_REASON,
    }
    figures = tuple(
        Figure(f"{KEY}.{event.event}.{column}", reproduced=value, reason=reason)
        for event in events
        for (column, reason), value in zip(
            columns.items(),
            (event.turned, event.bottom, event.weeks_to_bottom, event.further_drawdown, event.note),
            strict=True,
        )
    )
    table = pl.DataFrame(events, schema=_SCHEMA) if events else pl.DataFrame(schema=_SCHEMA)
    forward = _forward(history, parameters, events)
    return StudyResult({KEY: table, f"{KEY}.forward": forward}, figures)


_SCHEMA = {
    "event": pl.String,
    "turned": pl.Date,
    "falling_for": pl.Int64,
    "bottom": pl.Date,
    "weeks_to_bottom": pl.Float64,
    "further_drawdown": pl.Float64,
    "share_of_fall": pl.Float64,
    "note": pl.String,
}


def _forward(history: History, parameters: SlopeEventParameters, events: list[SlopeEvent]) -> pl.DataFrame:
    turns = np.isin(history.dates, np.array([event.turned for event in events], "datetime64[D]"))
    rows = []
    for horizon in HORIZONS:
        owned = traded_forward(history.closes(parameters.equity), horizon)
        found = event_statistics(owned, turns, horizon=horizon, seed=parameters.seed)
        rows.append(
            {
                "sessions": horizon,
                "n": found.n,
                "mean": found.mean,
                "low": found.mean_low,
                "high": found.mean_high,
                "median": found.median,
                "positive": found.positive,
                "any_day_mean": float(np.nanmean(owned)) if np.any(~np.isnan(owned)) else None,
                "null_p_value": found.null_p_value,
            }
        )
    return with_adjusted_p_values(pl.DataFrame(rows, infer_schema_length=None))


STUDY = Study(
    name="xlf_slope_events",
    title="The financial sector's long average turns down: time to the bottom and further fall",
    source=SOURCE,
    parameters=SlopeEventParameters,
    series=lambda parameters: (parameters.financials, parameters.equity),
    compute=run,
    answers=(KEY,),
)
