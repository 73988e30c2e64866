"""Credit spreads monitor: SPY exposure by a latched regime of the standardised credit spread.

Source: credit spreads monitor. S is the high-yield OAS in basis points, or the measure named by ``spread``; ZL and ZM20
are the z-scores of S and of its winsorised change over 20 sessions (`engine.credit`); the composite is 0.7 ZL + 0.3
ZM20. At close t:

* *Trigger*: from the normal regime to risk-off when ZL, or the composite, is at least 1.5.
* *Exit*: back to normal when ZL is at most 0.5 and S is lower than 20 sessions before. Exit wins.
* *Invalidation*: a trigger does not lead to risk-off while investment-grade credit and the breadth of the market stay
  benign, for the stress is narrow then; with ``invalidation = "always"`` risk-off ends so too. While S is stale nothing
  is known, and risk-off ends. Afterwards a new trigger is needed.
* *Bounce* (rule 2): within risk-off, when ZL is at least 2, S is lower than 5 sessions before and SPY is at least 8%
  below its 60-session high, exposure is raised for ``bounce_sessions``; then it is risk-off again.

Rules 1 and 3 are claims about what follows, without a position of their own; all three stand in `insight_rules`, with
their confidence, universe and ways to fail. What is decided at close t is traded at close t+1. S at close t is what was
known then: the OAS of the session before.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inner, jit
from engine.credit.insight_rules import RULES
from engine.credit.monitor_conditions import (
    BREADTH_FUNDS,
    breadth_is_benign,
    composite_is_high,
    fund_is_down,
    history_is_there,
    investment_grade_is_benign,
    spread_falls_over_5_sessions,
    spread_falls_over_20_sessions,
    spread_has_calmed,
    spread_is_at_its_peak,
    spread_is_stale,
    spread_is_stressed,
    spread_is_unremarkable,
    spread_rises_over_20_sessions,
    vix_is_calm,
)
from engine.credit.spread_measures import MEASURES, proxy_note
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies.conditions import Condition
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy

__all__ = ["STRATEGY", "CreditSpreadsMonitorParameters"]

SOURCE = "credit spreads monitor"
OWN = "this engine"

# Bits of the code, in the order of the conditions below.
HISTORY, STRESSED, COMPOSITE = 1 << 0, 1 << 1, 1 << 2
EXIT = 1 << 3 | 1 << 4
BOUNCE_CONDITIONS = 1 << 6 | 1 << 7 | 1 << 8
BENIGN = 1 << 11 | 1 << 12
STALE = 1 << 13

UNDEFINED, NORMAL, RISK_OFF, BOUNCE, INVALIDATED = 0, 1, 2, 3, 4
ALWAYS = 2.0
COUNTER = 4
"""Sessions left of a bounce stand above the four bits of the posture."""


def _score(default: float, meaning: str, source: str = SOURCE) -> Any:
    return parameter(default, ge=-10, le=10, unit="standard deviations", meaning=meaning, source=source)


def _exposure(default: float, meaning: str) -> Any:
    return parameter(default, ge=-2, le=2, unit="fraction", meaning=meaning, source=OWN)


class CreditSpreadsMonitorParameters(Parameters):
    """Parameters of the credit spreads monitor."""

    spread: Literal["hy_oas", "ig_oas", "baa_minus_dgs10", "baa10y", "hyg_lqd", "lqd_tlt"] = parameter(
        "hy_oas",
        documented=("hy_oas", "ig_oas", "baa_minus_dgs10", "hyg_lqd", "lqd_tlt"),
        unit="choice",
        meaning="measure of the credit spread; every other than the high-yield OAS is a proxy of lower confidence",
        source=SOURCE,
    )
    lookback_years: int = parameter(
        5, ge=1, le=30, documented=(3, 5), unit="years of 252 sessions", meaning="window of the scores", source=SOURCE
    )
    short_lookback_years: int = parameter(
        3, ge=1, le=30, unit="years of 252 sessions", meaning="window while the first is not there", source=SOURCE
    )
    level_weight: float = parameter(
        0.7, ge=0, le=1, unit="fraction", meaning="weight of ZL in the composite; ZM20 has the rest", source=SOURCE
    )
    winsor_share: float = parameter(
        0.01, ge=0, lt=0.5, unit="fraction", meaning="tail of the changes that is pulled in, each side", source=SOURCE
    )
    smallest_deviation: float = parameter(
        0.1, ge=0, unit="basis points", meaning="deviation at or below which percentiles replace z-scores", source=OWN
    )
    window_end: Literal["today", "yesterday"] = parameter(
        "today",
        documented=("today", "yesterday"),
        unit="choice",
        meaning="whether the windows of the scores end with the value that is scored or with the one before",
        source=SOURCE,
    )
    short_history: Literal["percentile", "shorter_window"] = parameter(
        "percentile",
        documented=("percentile", "shorter_window"),
        unit="choice",
        meaning="what marks stress while the first window is not there: the top decile, or ZL over the shorter one",
        source=SOURCE,
    )
    top_share: float = parameter(
        0.10,
        gt=0,
        lt=1,
        unit="fraction",
        meaning="share of the ranks that marks stress in a short history",
        source=SOURCE,
    )
    risk_off_score: float = _score(1.5, "ZL that triggers risk-off")
    composite_score: float = _score(1.5, "composite that triggers risk-off")
    composite_trigger: bool = parameter(
        True, unit="choice", meaning="whether the composite, which is optional, may trigger", source=SOURCE
    )
    exit_score: float = _score(0.5, "ZL that ends risk-off")
    bounce_score: float = _score(2.0, "ZL that marks a peak of stress")
    bounce_drawdown: float = parameter(
        -0.08, gt=-1, lt=0, unit="fraction", meaning="SPY's drawdown that belongs to a peak of stress", source=SOURCE
    )
    bounce_drawdown_window: int = parameter(60, ge=2, unit="sessions", meaning="window of SPY's high", source=SOURCE)
    bounce_sessions: int = parameter(
        20, ge=0, le=252, documented=(5, 20), unit="sessions", meaning="length of a bounce; 0: none", source=SOURCE
    )
    calm_score: float = _score(1.0, "ZL below which credit does not confirm risk-off")
    vix_calm_score: float = _score(1.0, "z-score of VIX below which it is calm")
    invalidation: Literal["off", "at_trigger", "always"] = parameter(
        "at_trigger",
        unit="choice",
        meaning="when benign investment-grade credit and breadth invalidate: at the trigger, or in risk-off too",
        source=SOURCE,
    )
    ig_benign_score: float = _score(1.0, "z-score of the investment-grade OAS below which it is benign", OWN)
    breadth_window: int = parameter(
        50, ge=2, unit="sessions", meaning="length of the averages that sectors stand above", source=OWN
    )
    breadth_benign_share: float = parameter(
        0.5, ge=0, le=1, unit="fraction", meaning="share of sectors above their average that is benign", source=OWN
    )
    stale_sessions: int = parameter(
        5, ge=1, unit="sessions", meaning="closes in a row without a known spread that make it stale", source=OWN
    )
    exposure_normal: float = _exposure(1.0, "SPY held in the normal regime")
    exposure_risk_off: float = _exposure(0.0, "SPY held in risk-off")
    exposure_bounce: float = _exposure(0.5, "SPY held in a bounce within risk-off")
    exposure_invalidated: float = _exposure(1.0, "SPY held while the trigger is invalidated")


@jit
def decide(rule: "CreditSpreadsMonitorRule", state: int, _held_return: float, code: int) -> int:
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    if code & STALE and state != UNDEFINED:
        return INVALIDATED
    if not code & HISTORY:
        return state
    if (code & EXIT) == EXIT:
        return NORMAL
    under_stress = (state & POSTURE_MASK) in (RISK_OFF, BOUNCE)
    triggered = code & STRESSED or (rule.composite_trigger != 0.0 and code & COMPOSITE)
    if not under_stress and not triggered:
        return NORMAL
    if (code & BENIGN) == BENIGN and (not under_stress or rule.invalidation == ALWAYS):
        return INVALIDATED
    return _bounce(rule, state, code) if under_stress else RISK_OFF


@inner
def _bounce(rule: "CreditSpreadsMonitorRule", state: int, code: int) -> int:
    """Return the state of a bounce that goes on or begins, or else risk-off."""
    sessions_left = state >> COUNTER
    if sessions_left > 1:
        return BOUNCE | (sessions_left - 1) << COUNTER
    if (code & BOUNCE_CONDITIONS) == BOUNCE_CONDITIONS and rule.bounce_sessions > 0.0:
        return BOUNCE | int(rule.bounce_sessions) << COUNTER
    return RISK_OFF


class CreditSpreadsMonitorRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    composite_trigger: float
    bounce_sessions: float
    invalidation: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field


def target_weights(
    exposure_normal: float, exposure_risk_off: float, exposure_bounce: float, exposure_invalidated: float
) -> NDArray[np.float64]:
    """Fractions of equity in SPY by posture."""
    return np.array([[0.0], [exposure_normal], [exposure_risk_off], [exposure_bounce], [exposure_invalidated]])


def feasible(lookback_years: int, short_lookback_years: int, exit_score: float, risk_off_score: float) -> bool:
    """Tell whether the shorter window is not the longer one, and risk-off ends below where it begins."""
    return short_lookback_years <= lookback_years and exit_score < risk_off_score


def notes(panel: Panel, spread: str) -> str | None:
    """Say that a proxy stands in for the high-yield OAS, and how the two compare."""
    return proxy_note(panel, spread)


STRATEGY = Strategy(
    name="credit_spreads_monitor",
    title="Credit spreads monitor: SPY by a latched regime of the credit spread",
    source=SOURCE,
    parameters=CreditSpreadsMonitorParameters,
    inputs=("SPY", "VIX"),
    optional_inputs=tuple(
        dict.fromkeys((*(series for measure in MEASURES.values() for series in measure.inputs), *BREADTH_FUNDS))
    ),
    legs=("SPY",),
    conditions=(
        Condition("the spread is known and its history long enough for a score", history_is_there),
        Condition("the spread is wide for its history", spread_is_stressed),
        Condition("the stress composite is high", composite_is_high),
        Condition("the spread's score is low enough to end risk-off", spread_has_calmed),
        Condition("the spread is lower than 20 sessions before", spread_falls_over_20_sessions),
        Condition("the spread is higher than 20 sessions before", spread_rises_over_20_sessions),
        Condition("the spread is as wide as at a peak of stress", spread_is_at_its_peak),
        Condition("the spread is lower than 5 sessions before", spread_falls_over_5_sessions),
        Condition("SPY is well below its high", fund_is_down),
        Condition("the spread's score does not confirm stress", spread_is_unremarkable),
        Condition("VIX is calm for its history", vix_is_calm),
        Condition("the investment-grade spread is benign", investment_grade_is_benign),
        Condition("the breadth of the sectors is benign", breadth_is_benign),
        Condition("the spread is stale", spread_is_stale),
    ),
    rule=CreditSpreadsMonitorRule,
    postures=("undefined", "normal", "risk-off", "bounce", "invalidated"),
    target_weights=target_weights,
    always=NORMAL,
    feasible=feasible,
    notes=notes,
    insight_rules=RULES,
    stand_ins=tuple({"spread": name} for name, measure in MEASURES.items() if measure.proxy),
    ambiguities=(
        Ambiguity(
            parameter="window_end",
            text="Mean and deviation are taken of S[t-L:t], which says nothing of its ends.",
            readings={
                "today": "The window ends with today's value, as rolling windows do.",
                "yesterday": "The window ends with yesterday's, as the notation does in Python: peaks score higher.",
            },
            chosen="today",
        ),
        Ambiguity(
            parameter="short_history",
            text="L is three years while five are not there; and percentiles are to be used when history is short.",
            readings={
                "percentile": "Scores take the shorter window; stress is marked by the top decile of what is there.",
                "shorter_window": "Scores take the shorter window; stress is marked by ZL as ever.",
            },
            chosen="percentile",
        ),
        Ambiguity(
            parameter="composite_trigger",
            text="The composite is optional where it is defined, and part of the trigger.",
            readings={"true": "Either ZL or the composite triggers.", "false": "ZL alone triggers."},
            chosen="true",
        ),
        Ambiguity(
            parameter="bounce_sessions",
            text="Rule 2 speaks of the next 5 to 20 sessions and does not say when a position ends.",
            readings={
                "20": "The whole of the horizon, from the first close at which the rule fires; then anew if it fires.",
                "5": "The shortest horizon named.",
                "0": "The rule is a claim to test and moves no position.",
            },
            chosen="20",
        ),
        Ambiguity(
            parameter="invalidation",
            text="A move of one sector, while investment-grade OAS and breadth stay benign, is not to be generalised.",
            readings={
                "at_trigger": "It keeps a trigger from leading to risk-off; what turns benign later is recovery.",
                "always": "It ends risk-off as well.",
                "off": "The trigger counts alone; neither series is read.",
            },
            chosen="at_trigger",
        ),
    ),
)
