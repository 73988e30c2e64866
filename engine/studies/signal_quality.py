"""What each strategy's signal is worth: how often it is right in and out of stress, its false alarms, its lead.

Source: credit stress strategies, "Signal quality summary", which has words and few figures; here all of it is measured,
and alike for all signals. A fall is one of the market from its high, ``depth`` or more; stress is the time from the day
after its high to its bottom.

* A signal is right on a day after which its asset, the market or the pair, moves as it says: bought at the next close
  and held for a month of 21 sessions.
* It is a false positive on a day outside stress, and its false positive rate is the share of those days on which it
  holds. For a signal of a bottom that is no fault; for one of a fall it is.
* It signals a fall if it holds on a day of its stress; its lead is the sessions from the first such day to the bottom.

Highs and bottoms are known afterwards only: stress is a label given in hindsight. The returns are tradable.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import event_statistics
from engine.parameters import parameter, same_parameter
from engine.strategies import read_condition
from engine.strategies.capitulation import CapitulationParameters, capitulation_scores
from engine.strategies.momentum_crash import MomentumCrashParameters, momentum_crashes
from engine.strategies.pair import ENTRY, PairParameters
from engine.strategies.pair import STRATEGY as PAIR
from engine.strategies.vix_regime import VixTrendParameters, regime_trends
from engine.studies.capitulation_distribution import CapitulationDistributionParameters
from engine.studies.event_tables import EventStudyParameters, frame, runs, with_adjusted_p_values
from engine.studies.falls import Fall, falls, within_falls
from engine.studies.history import History
from engine.studies.momentum_crashes import LIQUIDATION, ROTATION, crash_types
from engine.studies.pair_performance import PairPerformanceParameters, portfolio_returns
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import ONE_MONTH, traded_forward
from kernels import compound

__all__ = ["STUDY", "SignalQualityParameters"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SOURCE = "credit stress strategies, signal quality summary"
PAIR_RISES, MARKET_FALLS, MARKET_RISES = "the pair rises", "the market falls", "the market rises"
PAIR_ENTRY = tuple(condition for bit, condition in enumerate(PAIR.conditions) if ENTRY >> bit & 1)
QUALITY = {
    "signal": pl.String,
    "claim": pl.String,
    "days": pl.Int64,
    "share_of_days": pl.Float64,
    "episodes": pl.Int64,
    "right": pl.Float64,
    "right_low": pl.Float64,
    "right_high": pl.Float64,
    "right_in_stress": pl.Float64,
    "days_in_stress": pl.Int64,
    "right_outside": pl.Float64,
    "days_outside": pl.Int64,
    "mean": pl.Float64,
    "mean_low": pl.Float64,
    "mean_high": pl.Float64,
    "null_p_value": pl.Float64,
    "false_positive_rate": pl.Float64,
    "episodes_outside": pl.Float64,
    "falls": pl.Int64,
    "falls_signalled": pl.Int64,
    "lead_median": pl.Float64,
    "lead_min": pl.Int64,
    "lead_max": pl.Int64,
}
"""Columns of the summary; leads are sessions, returns those of a month, traded."""


class SignalQualityParameters(CapitulationDistributionParameters, PairPerformanceParameters, EventStudyParameters):
    """What the signals are, and which falls count."""

    growth: str = parameter("QQQ", unit="series", meaning="what stands for momentum", source=SOURCE)
    depth: float = parameter(
        -0.10, lt=0, gt=-1, unit="fraction", meaning="least depth of a fall that counts", source="this engine"
    )
    horizon: int = parameter(ONE_MONTH, ge=1, unit="sessions", meaning="how long a signal is followed", source=SOURCE)
    slope_lookback: int = same_parameter(PairParameters, "slope_lookback")
    hyg_reading: Literal["deeper", "shallower"] = same_parameter(PairParameters, "hyg_reading")
    vix_fast: int = same_parameter(VixTrendParameters, "vix_fast")
    vix_slow: int = same_parameter(VixTrendParameters, "vix_slow")
    vix_slope_lookback: int = same_parameter(VixTrendParameters, "vix_slope_lookback")
    flat_average_rises: bool = same_parameter(VixTrendParameters, "flat_average_rises")
    spread_window: int = same_parameter(MomentumCrashParameters, "spread_window")
    crash_spread: float = same_parameter(MomentumCrashParameters, "crash_spread")
    spread_reading: Literal["sum", "compound"] = same_parameter(MomentumCrashParameters, "spread_reading")
    crash_hyg_window: int = same_parameter(MomentumCrashParameters, "hyg_window")
    crash_hyg_drawdown: float = same_parameter(MomentumCrashParameters, "hyg_drawdown")
    hedge_score: float = same_parameter(CapitulationParameters, "hedge_score")
    accumulate_score: float = same_parameter(CapitulationParameters, "accumulate_score")


class Signal(NamedTuple):
    """Days of the sample on which a signal holds, bool (sessions,), and what it says will follow."""

    claim: str
    days: Flags


def run(history: History, parameters: SignalQualityParameters) -> StudyResult:
    """Measure every signal against the falls of the market and the returns after it."""
    closes = history.complete_closes(parameters.equity)
    pair_returns = portfolio_returns(history, parameters)["pair"]
    market = traded_forward(closes, parameters.horizon)
    forward = {
        PAIR_RISES: traded_forward(compound(np.where(np.isnan(pair_returns), 0.0, pair_returns)), parameters.horizon),
        MARKET_FALLS: -market,
        MARKET_RISES: market,
    }
    found = falls(closes, parameters.depth)
    stress = within_falls(found, len(closes))
    signals = read_signals(history, parameters)
    rows = [
        {
            "signal": name,
            "claim": signal.claim,
            **_rightness(forward[signal.claim], signal.days, stress, parameters),
            **_alarms(signal.days, stress, found),
        }
        for name, signal in signals.items()
    ]
    notes = (
        f"stress is the time between the high and the bottom of each fall of {-parameters.depth:.0%} or more, "
        f"{len(found)} in this sample: a label given in hindsight",
        "the mean is that of the asset in the direction that the signal claims",
    )
    table = with_adjusted_p_values(frame(rows, QUALITY))
    return StudyResult({"signal_quality": table}, (_pair_figure(history, pair_returns),), notes)


def read_signals(history: History, parameters: SignalQualityParameters) -> dict[str, Signal]:
    """Read the signals of the document's summary over the sample."""
    panel = history.panel_with(
        VIX=parameters.volatility,
        HYG=parameters.credit,
        SPY=parameters.equity,
        XLF=parameters.financials,
        QQQ=parameters.growth,
    )
    values = parameters.model_dump()
    entry = np.all([read_condition(condition, panel, values).met for condition in PAIR_ENTRY], axis=0)
    trending = regime_trends(
        panel, parameters.vix_fast, parameters.vix_slow, parameters.vix_slope_lookback, parameters.flat_average_rises
    ).met
    crash = history.inside(
        momentum_crashes(panel, parameters.spread_window, parameters.crash_spread, parameters.spread_reading).met
    )
    _, types = crash_types(history, panel, parameters.crash_hyg_window, parameters.crash_hyg_drawdown)
    scores = capitulation_scores(panel, values)
    severe = (scores >= parameters.hedge_score) & (scores < parameters.accumulate_score)
    return {
        "sector rotation entry": Signal(PAIR_RISES, history.inside(entry)),
        "VIX trending": Signal(MARKET_FALLS, history.inside(trending)),
        "momentum liquidation": Signal(MARKET_FALLS, crash & types[LIQUIDATION]),
        "momentum rotation": Signal(MARKET_RISES, crash & types[ROTATION]),
        "capitulation score severe": Signal(MARKET_FALLS, history.inside(severe)),
        "capitulation": Signal(MARKET_RISES, history.inside(scores >= parameters.accumulate_score)),
    }


def _rightness(forward: Floats, days: Flags, stress: Flags, parameters: SignalQualityParameters) -> dict[str, Any]:
    """How often the asset moved as claimed over the month after the signal, and by how much."""
    followed = event_statistics(forward, days, horizon=parameters.horizon, seed=parameters.seed)
    known = days & ~np.isnan(forward)
    inside, outside = forward[known & stress], forward[known & ~stress]
    return {
        "right": followed.positive,
        "right_low": followed.positive_low,
        "right_high": followed.positive_high,
        "right_in_stress": float((inside > 0.0).mean()) if inside.size else None,
        "days_in_stress": inside.size,
        "right_outside": float((outside > 0.0).mean()) if outside.size else None,
        "days_outside": outside.size,
        "mean": followed.mean,
        "mean_low": followed.mean_low,
        "mean_high": followed.mean_high,
        "null_p_value": followed.null_p_value,
    }


def _alarms(days: Flags, stress: Flags, found: list[Fall]) -> dict[str, Any]:
    """How often the signal holds, how much of that outside stress, and its lead before each bottom."""
    begins = [begin for begin, _end in runs(days)]
    leads = [
        fall.bottom - fall.high - 1 - int(np.argmax(between))
        for fall in found
        if (between := days[fall.high + 1 : fall.bottom + 1]).any()
    ]
    return {
        "days": int(days.sum()),
        "share_of_days": float(days.mean()),
        "episodes": len(begins),
        "false_positive_rate": float(days[~stress].mean()) if (~stress).any() else None,
        "episodes_outside": float(np.mean(~stress[begins])) if begins else None,
        "falls": len(found),
        "falls_signalled": len(leads),
        "lead_median": float(np.median(leads)) if leads else None,
        "lead_min": min(leads, default=None),
        "lead_max": max(leads, default=None),
    }


def _pair_figure(history: History, returns: Floats) -> Figure:
    """In how many episodes of stress the pair gained, held throughout."""
    gained = [float(np.nanprod(1.0 + returns[period.covers(history.dates)])) > 1.0 for period in history.periods]
    return Figure(
        "signal_quality.sector_rotation.episodes_won",
        reproduced=f"{sum(gained)} of {len(gained)}",
        n=len(gained),
        episodes=len(gained),
        reason="the pair held from the first to the last day of each episode, which are known afterwards only: not "
        "what its entry rule earns, which the table has, and no tradable figure",
    )


STUDY = Study(
    name="signal_quality",
    title="What each strategy's signal is worth: right, false alarms, lead",
    source=SOURCE,
    parameters=SignalQualityParameters,
    series=lambda parameters: (
        *parameters.basket,
        parameters.short,
        parameters.equity,
        parameters.growth,
        parameters.credit,
        parameters.financials,
        parameters.volatility,
    ),
    compute=run,
    answers=("signal_quality",),
)
