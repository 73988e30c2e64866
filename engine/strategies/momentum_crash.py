"""Momentum-crash classifier: what to hold when growth stocks fall behind the market, by what credit does meanwhile.

Source: credit stress strategies, part 1C. QQQ stands for momentum. At close t there is a crash if QQQ's return less
SPY's over ``spread_window`` sessions is below ``crash_spread``. It is a liquidation if HYG's drawdown from its high of
``hyg_window`` sessions is beyond ``hyg_drawdown``, and a rotation otherwise.

A liquidation reduces equity for ``liquidation_sessions``, and adds a hedge at the closes at which the VIX score, that
of the VIX regime strategy, is at least ``hedge_score``. A rotation moves equity to the basket of energy, materials and
utilities, the long side of the sector pair, for ``rotation_sessions``. A new crash of the same type starts the time
anew. A liquidation ends a rotation; a rotation does not end a liquidation.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies.conditions import Condition, Reading, at_least, below
from engine.strategies.pair import BASKET, LEGS, credit_is_stressed
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from engine.strategies.vix_regime import (
    FLAT_AVERAGE,
    VIX_SCORE_CONDITIONS,
    VixScoreParameters,
    feasible,
    vix_score,
)
from kernels import rate_of_change, rolling_drawdown, rolling_sum

__all__ = ["STRATEGY", "MomentumCrashParameters", "hyg_falls", "hyg_is_stable", "momentum_crashes", "momentum_spread"]

SOURCE = "credit stress strategies, part 1C"

SPY, QQQ, TLT = 0, 1, 2
PAIR = slice(3, None)

# Bits of the code, in the order of the conditions below; those of the VIX score come first.
CRASH, HYG_FALLS, HYG_STABLE = 1 << 4, 1 << 5, 1 << 6

NORMAL, LIQUIDATION, HEDGED_LIQUIDATION, ROTATION = 1, 2, 3, 4
SESSION = POSTURE_MASK + 1
"""One session that is left to hold, in a state."""


class MomentumCrashParameters(VixScoreParameters):
    """Parameters of the momentum-crash classifier."""

    spread_window: int = parameter(
        5, ge=1, documented=(1, 5), unit="sessions", meaning="span of QQQ's return less SPY's", source=SOURCE
    )
    crash_spread: float = parameter(
        -0.025, lt=0, unit="fraction", meaning="QQQ's return less SPY's that marks a crash", source=SOURCE
    )
    spread_reading: Literal["sum", "compound"] = parameter(
        "sum",
        unit="choice",
        meaning="whether the spread is the sum of daily spreads or the difference of the span's returns",
        source=SOURCE,
    )
    hyg_window: int = parameter(20, ge=2, unit="sessions", meaning="window of HYG's high", source=SOURCE)
    hyg_drawdown: float = parameter(
        -0.03,
        lt=0,
        gt=-1,
        unit="fraction",
        meaning="HYG's drawdown from its high that makes a crash a liquidation",
        source=SOURCE,
    )
    liquidation_vix_score: int = parameter(
        0, ge=0, le=2, unit="score", meaning="least VIX score for a crash to be a liquidation", source=SOURCE
    )
    hedge_score: int = parameter(
        1, ge=0, le=3, unit="score", meaning="least VIX score at which a liquidation is hedged; 3: never", source=SOURCE
    )
    liquidation_sessions: int = parameter(
        63,
        ge=1,
        documented=(63, 126),
        unit="sessions",
        meaning="how long a liquidation is answered: three to six months",
        source=SOURCE,
    )
    rotation_sessions: int = parameter(
        10,
        ge=1,
        documented=(10, 20),
        unit="sessions",
        meaning="how long a rotation is answered: two to four weeks",
        source=SOURCE,
    )
    exposure_normal: float = parameter(
        1.0, ge=-2, le=2, unit="fraction", meaning="equity held without a crash, in SPY", source="this engine"
    )
    exposure_liquidation: float = parameter(
        0.5, ge=-2, le=2, unit="fraction", meaning="SPY held in a liquidation", source="this engine"
    )
    hedge: Literal["short_qqq", "long_tlt"] = parameter(
        "short_qqq", unit="choice", meaning="what a liquidation is hedged with", source="this engine"
    )
    hedge_weight: float = parameter(
        0.25, ge=0, le=2, unit="fraction", meaning="size of the hedge", source="this engine"
    )
    rotation_position: Literal["basket", "pair"] = parameter(
        "basket",
        unit="choice",
        meaning="whether a rotation moves equity to the basket or adds the sector pair to it",
        source=SOURCE,
    )
    rotation_share: float = parameter(
        1.0, ge=0, le=2, unit="fraction of equity held", meaning="how much a rotation moves or adds", source=SOURCE
    )


@jit
def decide(rule: "MomentumCrashRule", state: int, held_return: float, code: int) -> int:  # noqa: ARG001 - no stop
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    score = vix_score(code)
    posture = state & POSTURE_MASK
    left = state // SESSION - 1
    crash = (code & CRASH) != 0
    in_liquidation = posture in (LIQUIDATION, HEDGED_LIQUIDATION) and left > 0
    liquidation = (code & HYG_FALLS) != 0 and score >= rule.liquidation_vix_score
    if crash and liquidation:
        left = int(rule.liquidation_sessions)
    elif not in_liquidation:
        if crash and (code & (HYG_FALLS | HYG_STABLE)) != 0:
            return ROTATION + SESSION * int(rule.rotation_sessions)
        if posture == ROTATION and left > 0:
            return ROTATION + SESSION * left
        return NORMAL
    hedged = score >= rule.hedge_score
    return (HEDGED_LIQUIDATION if hedged else LIQUIDATION) + SESSION * left


class MomentumCrashRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    liquidation_vix_score: float
    hedge_score: float
    liquidation_sessions: float
    rotation_sessions: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field


def momentum_spread(panel: Panel, spread_window: int, spread_reading: str) -> NDArray[np.float64]:
    """QQQ's return less SPY's over the last sessions; NaN until there are as many."""
    span = 1 if spread_reading == "sum" else spread_window
    spread = panel.indicator(rate_of_change, "QQQ", span) - panel.indicator(rate_of_change, "SPY", span)
    return rolling_sum(spread, spread_window) if spread_reading == "sum" else spread


def momentum_crashes(panel: Panel, spread_window: int, crash_spread: float, spread_reading: str) -> Reading:
    """Growth stocks have fallen behind the market as in a momentum crash."""
    return below(momentum_spread(panel, spread_window, spread_reading), crash_spread)


def hyg_falls(panel: Panel, hyg_window: int, hyg_drawdown: float) -> Reading:
    """High yield is far below its high: a crash is then a liquidation."""
    return credit_is_stressed(panel, hyg_window, hyg_drawdown, "deeper")


def hyg_is_stable(panel: Panel, hyg_window: int, hyg_drawdown: float) -> Reading:
    """High yield is near its high: a crash is then a rotation."""
    return at_least(panel.indicator(rolling_drawdown, "HYG", hyg_window), hyg_drawdown)


def target_weights(
    exposure_normal: float,
    exposure_liquidation: float,
    hedge: str,
    hedge_weight: float,
    rotation_position: str,
    rotation_share: float,
) -> NDArray[np.float64]:
    """Fractions of equity by posture: SPY, SPY reduced, the same hedged, and the basket."""
    weights = np.zeros((5, 3 + len(LEGS)))
    weights[NORMAL, SPY] = exposure_normal
    weights[[LIQUIDATION, HEDGED_LIQUIDATION], SPY] = exposure_liquidation
    if hedge == "short_qqq":
        weights[HEDGED_LIQUIDATION, QQQ] = -hedge_weight
    else:
        weights[HEDGED_LIQUIDATION, TLT] = hedge_weight
    moved = exposure_normal * rotation_share
    software = -moved if rotation_position == "pair" else 0.0
    weights[ROTATION, PAIR] = [*[moved / len(BASKET)] * len(BASKET), software]
    weights[ROTATION, SPY] = exposure_normal - (moved if rotation_position == "basket" else 0.0)
    return weights


STRATEGY = Strategy(
    name="momentum_crash",
    title="Momentum-crash classifier: liquidation or rotation",
    source=SOURCE,
    parameters=MomentumCrashParameters,
    inputs=("QQQ", "SPY", "HYG", "VIX"),
    legs=("SPY", "QQQ", "TLT", *LEGS),
    conditions=(
        *VIX_SCORE_CONDITIONS,
        Condition("QQQ has fallen behind SPY as in a momentum crash", momentum_crashes),
        Condition("HYG's drawdown from its high marks a liquidation", hyg_falls),
        Condition("HYG is stable, as in a rotation", hyg_is_stable),
    ),
    rule=MomentumCrashRule,
    postures=("flat", "normal", "liquidation", "hedged liquidation", "rotation"),
    target_weights=target_weights,
    feasible=feasible,
    ambiguities=(
        Ambiguity(
            parameter="hedge_score",
            text="The VIX score is listed among the inputs, but the classification does not use it.",
            readings={
                "0": "It has no say: every liquidation is hedged.",
                "1, 2": "It sizes the answer: equity is reduced at once, the hedge stands while the score is as high.",
            },
            chosen="1",
        ),
        Ambiguity(
            parameter="liquidation_vix_score",
            text="The same: the score may be meant to confirm the type of the crash.",
            readings={
                "0": "HYG alone decides, as in the document's formula.",
                "1, 2": "A crash with a lower score is a rotation even if HYG falls.",
            },
            chosen="0",
        ),
        Ambiguity(
            parameter="spread_reading",
            text="The 'QQQ-SPY 5d spread' may be a sum of daily spreads or a difference of five-day returns.",
            readings={
                "sum": "The sum, which gives the document's own table of worst weeks.",
                "compound": "The difference of the two returns over five days.",
            },
            chosen="sum",
        ),
        Ambiguity(
            parameter="rotation_position",
            text="A rotation asks to 'rebalance toward value/commodity (Strategy A entry)'.",
            readings={
                "basket": "Equity moves from SPY to the long side of Strategy A.",
                "pair": "Strategy A's position, long the basket and short software, is added to SPY.",
            },
            chosen="basket",
        ),
        FLAT_AVERAGE,
    ),
)
