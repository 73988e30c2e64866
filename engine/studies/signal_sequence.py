"""Which signal fires first before a bottom of the market, and how many sessions before it.

Source: credit stress strategies, part 4, "Sequencing". The document's order: first financials below their average and a
trending VIX, then a cluster of declines, then VIX above its band, and last high yield far below its high.

A fall is one of the market from its high, ``depth`` or more, with its bottom before the high is reached again. A
signal's lead is the number of sessions from the first close after the high at which it holds to the bottom. A signal
that is undefined somewhere in between, because the sample has not yet filled its window, is left out of that fall.
Highs and bottoms are known afterwards only: this describes, and nothing here can be traded.
"""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import Panel
from engine.parameters import parameter, same_parameter
from engine.strategies.capitulation import (
    CapitulationScoreParameters,
    breadth_collapses,
    hyg_is_stressed,
    vix_is_extreme,
)
from engine.strategies.conditions import Reading
from engine.strategies.pair import xlf_below_average
from engine.strategies.vix_regime import VixRegimeParameters, VixTrendParameters, regime_trends, slow_average_rises
from engine.studies.event_tables import frame
from engine.studies.falls import Fall, falls
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult

__all__ = ["STUDY", "SignalSequenceParameters"]

Flags = NDArray[np.bool_]

SOURCE = "credit stress strategies, part 4"
STAGES = {1: "financials_and_vix_trend", 2: "breadth", 3: "vix_band", 4: "credit"}
"""The document's order."""

FIRINGS = {
    "high": pl.Date,
    "bottom": pl.Date,
    "depth": pl.Float64,
    "signal": pl.String,
    "stage": pl.Int64,
    "defined": pl.Boolean,
    "first": pl.Date,
    "lead": pl.Int64,
    "held_at_high": pl.Boolean,
    "held_at_bottom": pl.Boolean,
    "share_held": pl.Float64,
}
"""Columns of the table of firings; leads are sessions."""

ORDER = {
    "bottom": pl.Date,
    "stages_fired": pl.Int64,
    "in_order": pl.Int64,
    "together": pl.Int64,
    "reversed": pl.Int64,
}
"""Columns of the table of orders."""


class SignalSequenceParameters(StudyParameters):
    """What the signals are, and which falls count."""

    volatility: str = parameter("VIX", unit="series", meaning="what trends, or leaves its band", source=SOURCE)
    credit: str = parameter("HYG", unit="series", meaning="high yield", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market whose bottoms are looked for", source=SOURCE)
    financials: str = parameter("XLF", unit="series", meaning="what is below its average", source=SOURCE)
    depth: float = parameter(
        -0.10, lt=0, gt=-1, unit="fraction", meaning="least depth of a fall that counts", source="this engine"
    )
    xlf_dma: int = same_parameter(CapitulationScoreParameters, "xlf_dma")
    vix_fast: int = same_parameter(VixTrendParameters, "vix_fast")
    vix_slow: int = same_parameter(VixTrendParameters, "vix_slow")
    vix_slope_lookback: int = same_parameter(VixTrendParameters, "vix_slope_lookback")
    flat_average_rises: bool = same_parameter(VixTrendParameters, "flat_average_rises")
    breadth_window: int = same_parameter(CapitulationScoreParameters, "breadth_window")
    breadth_declines: int = parameter(
        8, ge=1, documented=(7, 8), unit="days", meaning="declines that are extreme", source=SOURCE
    )
    bollinger_window: int = same_parameter(VixRegimeParameters, "bollinger_window")
    bollinger_width: float = parameter(
        3.0, gt=0, unit="standard deviations", meaning="distance of VIX's band from its average", source=SOURCE
    )
    hyg_window: int = same_parameter(CapitulationScoreParameters, "hyg_window")
    hyg_drawdown: float = same_parameter(CapitulationScoreParameters, "hyg_drawdown")
    hyg_panic: float = parameter(
        -0.05,
        lt=0,
        gt=-1,
        documented=(-0.05, -0.03),
        unit="fraction",
        meaning="the deeper drawdown that is asked for",
        source=SOURCE,
    )


class Signal(NamedTuple):
    """One signal over the rows of a panel.

    Attributes
    ----------
    stage
        When the document says that it fires; 1 is first.
    met, defined
        bool (rows,): whether it holds, and whether it could.
    """

    stage: int
    met: Flags
    defined: Flags


def read_signals(panel: Panel, parameters: SignalSequenceParameters) -> dict[str, Signal]:
    """Read the signals of the document's order, in that order."""
    slope = (parameters.vix_slope_lookback, parameters.flat_average_rises)
    trends = regime_trends(panel, parameters.vix_fast, parameters.vix_slow, *slope)
    slow_average = slow_average_rises(panel, parameters.vix_slow, *slope)
    breadth = breadth_collapses(panel, parameters.breadth_window, parameters.breadth_declines)
    return {
        "financials_weak": _signal(1, xlf_below_average(panel, parameters.xlf_dma)),
        "vix_trends": Signal(1, trends.met, ~np.isnan(slow_average.value)),
        "breadth_extreme": _signal(2, breadth),
        "vix_above_band": _signal(3, vix_is_extreme(panel, parameters.bollinger_window, parameters.bollinger_width)),
        "credit_stress": _signal(4, hyg_is_stressed(panel, parameters.hyg_window, parameters.hyg_drawdown)),
        "credit_panic": _signal(4, hyg_is_stressed(panel, parameters.hyg_window, parameters.hyg_panic)),
    }


def _signal(stage: int, reading: Reading) -> Signal:
    return Signal(stage, reading.met, ~np.isnan(reading.value + reading.threshold))


def run(history: History, parameters: SignalSequenceParameters) -> StudyResult:
    """Find the falls, and when each signal first held in each of them."""
    panel = history.panel_with(
        VIX=parameters.volatility, HYG=parameters.credit, SPY=parameters.equity, XLF=parameters.financials
    )
    signals = read_signals(panel, parameters)
    found = falls(history.complete_closes(parameters.equity), parameters.depth)
    rows = [_firing(history, fall, name, signal) for fall in found for name, signal in signals.items()]
    firings = frame(rows, FIRINGS)
    stages = _stages(firings)
    tables = {
        "capitulation.sequence": firings,
        "capitulation.sequence.by_signal": _leads(firings, "signal"),
        "capitulation.sequence.by_stage": _leads(stages, "stage"),
        "capitulation.sequence.order": _order(stages),
    }
    notes = (
        f"falls of {-parameters.depth:.0%} or more from the high of the sample; highs and bottoms are known afterwards "
        "only, so that a lead describes and cannot be traded",
    )
    return StudyResult(tables, _figures(_leads(stages, "stage")), notes)


def _firing(history: History, fall: Fall, name: str, signal: Signal) -> dict[str, Any]:
    """When a signal first held between the high and the bottom of a fall."""
    between = slice(fall.high + 1, fall.bottom + 1)
    met, defined = history.inside(signal.met), history.inside(signal.defined)
    known = bool(defined[between].all())
    first = fall.high + 1 + int(np.argmax(met[between])) if known and met[between].any() else None
    return {
        "high": history.dates[fall.high].item(),
        "bottom": history.dates[fall.bottom].item(),
        "depth": fall.depth,
        "signal": name,
        "stage": signal.stage,
        "defined": known,
        "first": None if first is None else history.dates[first].item(),
        "lead": None if first is None else fall.bottom - first,
        "held_at_high": bool(met[fall.high]) if known else None,
        "held_at_bottom": bool(met[fall.bottom]) if known else None,
        "share_held": float(met[between].mean()) if known else None,
    }


def _stages(firings: pl.DataFrame) -> pl.DataFrame:
    """The first firing of each stage in each fall: the longest lead of its signals."""
    return firings.group_by("bottom", "stage", maintain_order=True).agg(pl.col("lead").max(), pl.col("defined").any())


def _leads(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """In how many falls each fired, and its leads; the longest median lead has rank 1."""
    return (
        rows.group_by(by, maintain_order=True)
        .agg(
            pl.col("defined").sum().alias("falls"),
            pl.col("lead").count().alias("fired"),
            *(getattr(pl.col("lead"), part)().alias(f"lead_{part}") for part in ("median", "min", "max")),
        )
        .with_columns(pl.col("lead_median").rank("min", descending=True).cast(pl.Int64).alias("rank"))
    )


def _order(stages: pl.DataFrame) -> pl.DataFrame:
    """For each fall, how many pairs of stages fired in the document's order, together, and the other way round."""
    rows = []
    for (bottom,), mine in stages.group_by("bottom", maintain_order=True):
        fired = mine.drop_nulls("lead").sort("stage")["lead"].to_list()
        pairs = [earlier - later for earlier, later in combinations(fired, 2)]
        rows.append(
            {
                "bottom": bottom,
                "stages_fired": len(fired),
                "in_order": sum(gap > 0 for gap in pairs),
                "together": sum(gap == 0 for gap in pairs),
                "reversed": sum(gap < 0 for gap in pairs),
            }
        )
    return frame(rows, ORDER)


def _figures(leads: pl.DataFrame) -> tuple[Figure, ...]:
    reason = (
        "the rank of the stage's median lead over all falls of this size, not over the three of the document "
        "alone, and leads are counted back from bottoms that are known afterwards only"
    )
    return tuple(
        Figure(
            f"capitulation.sequence.{STAGES[row['stage']]}",
            reproduced=row["rank"],
            n=row["fired"],
            episodes=row["fired"],
            reason=reason,
        )
        for row in leads.iter_rows(named=True)
    )


STUDY = Study(
    name="signal_sequence",
    title="Which signal fires first before a bottom of the market",
    source=SOURCE,
    parameters=SignalSequenceParameters,
    series=lambda parameters: (parameters.volatility, parameters.credit, parameters.equity, parameters.financials),
    compute=run,
    answers=("capitulation.sequence",),
)
