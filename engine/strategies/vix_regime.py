"""VIX trending regime: less equity while VIX trends up on a rising floor, until it calms.

Source: credit stress strategies, part 1B. The score of a close counts two things:

* the regime trends: the average of VIX over ``vix_fast`` sessions is above that over ``vix_slow``, and both are
  higher than ``vix_slope_lookback`` sessions before;
* the floor rises: VIX's minimum over ``vix_floor_window`` sessions is higher than ``vix_slope_lookback`` sessions
  before.

Score 0 asks for the normal posture, 1 for caution, 2 for the defensive one. The defensive posture is kept, whatever
the score does, until at a close the fast average is below the slow one, or the floor has not risen for
``floor_exit_sessions`` closes in a row, or VIX is below its lower Bollinger band. Exit wins over entry. After an exit
the score asks for caution at most; with ``rearm`` it must fall below 2 once before the defensive posture may be taken
again.

The document holds VIX calls or SPY put spreads in the defensive posture. Options are not simulated here: the posture
is an exposure to SPY, which may be negative.
"""

from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies.conditions import Condition, Reading, above, all_of, at_least, at_most, below, in_a_row
from engine.strategies.pair import vix_trends_down, vix_trends_up
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from kernels import rate_of_change, rolling_mean, rolling_min, rolling_std

__all__ = [
    "FLAT_AVERAGE",
    "STRATEGY",
    "VIX_SCORE_CONDITIONS",
    "VixRegimeParameters",
    "VixScoreParameters",
    "VixTrendParameters",
    "regime_trends",
    "vix_score",
]

SOURCE = "credit stress strategies, part 1B"

# Bits of the code, in the order of the conditions below.
TRENDING = 0b0000111
FLOOR_RISES = 0b0001000
EXIT = 0b1110000

NORMAL, CAUTION, DEFENSIVE = 1, 2, 3
DISARMED, STOPPED = POSTURE_MASK + 1, 2 * (POSTURE_MASK + 1)

DECIMALS = 12
"""Changes of an average are rounded to this many decimals: VIX has two, so its averages often stand exactly still."""


class VixTrendParameters(Parameters):
    """When VIX trends up; shared by every strategy that asks."""

    vix_fast: int = parameter(
        20, ge=1, documented=(15, 25), unit="sessions", meaning="length of VIX's fast average", source=SOURCE
    )
    vix_slow: int = parameter(
        50, ge=2, documented=(40, 60), unit="sessions", meaning="length of VIX's slow average", source=SOURCE
    )
    vix_slope_lookback: int = parameter(
        5,
        ge=1,
        documented=(3, 7),
        unit="sessions",
        meaning="span over which the slopes of VIX's averages and floor are taken",
        source=SOURCE,
    )
    flat_average_rises: bool = parameter(
        True, unit="choice", meaning="an average of VIX that stands exactly still counts as rising", source=SOURCE
    )


class VixScoreParameters(VixTrendParameters):
    """What the VIX score, 0 to 2, is made of; shared by every strategy that uses it."""

    vix_floor_window: int = parameter(
        20, ge=2, documented=(15, 25), unit="sessions", meaning="window of VIX's floor, its minimum", source=SOURCE
    )


class VixRegimeParameters(VixScoreParameters):
    """Parameters of the VIX regime strategy."""

    floor_exit_sessions: int = parameter(
        10, ge=1, unit="sessions", meaning="closes in a row without a rising floor that end the defence", source=SOURCE
    )
    bollinger_window: int = parameter(
        20, ge=2, unit="sessions", meaning="window of VIX's Bollinger bands", source=SOURCE
    )
    bollinger_width: float = parameter(
        2.0,
        gt=0,
        unit="standard deviations",
        meaning="distance of the Bollinger bands from the average",
        source=SOURCE,
    )
    exposure_normal: float = parameter(
        1.0, ge=-2, le=2, unit="fraction", meaning="SPY held at score 0", source="this engine"
    )
    exposure_caution: float = parameter(
        0.5, ge=-2, le=2, unit="fraction", meaning="SPY held at score 1", source="this engine"
    )
    exposure_defensive: float = parameter(
        0.0, ge=-2, le=2, unit="fraction", meaning="SPY held in the defensive posture", source="this engine"
    )
    latch_score: int = parameter(
        2,
        ge=1,
        le=3,
        unit="score",
        meaning="least score whose posture is kept until an exit; 3: none is",
        source=SOURCE,
    )
    rearm: bool = parameter(
        True, unit="choice", meaning="after an exit the score must fall below 2 before a new defence", source=SOURCE
    )
    caution_stop: float = parameter(
        -1.0,
        ge=-1,
        lt=0,
        unit="fraction",
        meaning="return of the cautious holding since its fill that makes it defensive until score 0; -1: no stop",
        source=SOURCE,
    )


@jit
def vix_score(code: int) -> int:
    """Score of a code whose lowest bits are `VIX_SCORE_CONDITIONS`: 0, 1 or 2."""
    return int((code & TRENDING) == TRENDING) + int((code & FLOOR_RISES) != 0)


@jit
def decide(rule: "VixRegimeRule", state: int, held_return: float, code: int) -> int:
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    score = vix_score(code)
    posture = state & POSTURE_MASK
    if (state & STOPPED) != 0 or (posture == CAUTION and held_return <= rule.caution_stop):
        return NORMAL if score == 0 else DEFENSIVE | STOPPED
    leaving = (code & EXIT) != 0 and rule.latch_score < 3.0
    disarmed = score == 2 and ((state & DISARMED) != 0 or (posture == DEFENSIVE and leaving and rule.rearm != 0.0))
    wanted = NORMAL + score
    if wanted == DEFENSIVE and (leaving or disarmed):
        wanted = CAUTION
    if posture - NORMAL >= rule.latch_score and not leaving:
        wanted = max(wanted, posture)
    return wanted | DISARMED if disarmed else wanted


class VixRegimeRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    latch_score: float
    rearm: float
    caution_stop: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field
    stops = MappingProxyType({CAUTION: "caution_stop"})  # type: ignore[misc]


def fast_average_rises(panel: Panel, vix_fast: int, vix_slope_lookback: int, flat_average_rises: bool) -> Reading:
    return _average_rises(panel, vix_fast, vix_slope_lookback, flat_average_rises)


def slow_average_rises(panel: Panel, vix_slow: int, vix_slope_lookback: int, flat_average_rises: bool) -> Reading:
    return _average_rises(panel, vix_slow, vix_slope_lookback, flat_average_rises)


def _average_rises(panel: Panel, length: int, lookback: int, flat_counts: bool) -> Reading:
    slope = np.round(rate_of_change(panel.indicator(rolling_mean, "VIX", length), lookback), DECIMALS)
    return at_least(slope, 0.0) if flat_counts else above(slope, 0.0)


def regime_trends(
    panel: Panel, vix_fast: int, vix_slow: int, vix_slope_lookback: int, flat_average_rises: bool
) -> Reading:
    """The trending regime as one condition; `VIX_SCORE_CONDITIONS` has its three parts apart."""
    return all_of(
        vix_trends_up(panel, vix_fast, vix_slow),
        fast_average_rises(panel, vix_fast, vix_slope_lookback, flat_average_rises),
        slow_average_rises(panel, vix_slow, vix_slope_lookback, flat_average_rises),
    )


def _floor_change(panel: Panel, window: int, lookback: int) -> NDArray[np.float64]:
    return rate_of_change(panel.indicator(rolling_min, "VIX", window), lookback)


def floor_rises(panel: Panel, vix_floor_window: int, vix_slope_lookback: int) -> Reading:
    return above(_floor_change(panel, vix_floor_window, vix_slope_lookback), 0.0)


def floor_stopped_rising(
    panel: Panel, vix_floor_window: int, vix_slope_lookback: int, floor_exit_sessions: int
) -> Reading:
    return in_a_row(at_most(_floor_change(panel, vix_floor_window, vix_slope_lookback), 0.0), floor_exit_sessions)


def below_lower_band(panel: Panel, bollinger_window: int, bollinger_width: float) -> Reading:
    middle = panel.indicator(rolling_mean, "VIX", bollinger_window)
    deviation = panel.indicator(rolling_std, "VIX", bollinger_window)
    return below(panel.values("VIX"), middle - bollinger_width * deviation)


def target_weights(exposure_normal: float, exposure_caution: float, exposure_defensive: float) -> NDArray[np.float64]:
    """Fractions of equity in SPY by posture."""
    return np.array([[0.0], [exposure_normal], [exposure_caution], [exposure_defensive]])


def feasible(vix_fast: int, vix_slow: int) -> bool:
    """Tell whether VIX's fast average is the faster one."""
    return vix_fast < vix_slow


VIX_SCORE_CONDITIONS = (
    Condition("the fast average of VIX is above the slow one", vix_trends_up),
    Condition("the fast average of VIX rises", fast_average_rises),
    Condition("the slow average of VIX rises", slow_average_rises),
    Condition("the floor of VIX rises", floor_rises),
)
"""What `vix_score` counts; a strategy that uses the score has them first, in this order."""

FLAT_AVERAGE = Ambiguity(
    parameter="flat_average_rises",
    text="Both averages must rise: 'slope > 0'. VIX has two decimals, so the slope is sometimes exactly zero.",
    readings={
        "true": "Standing still counts as rising. It decides one close of the document's sample, 2024-02-05, and gives "
        "the 487 trending days that it publishes; running sums and single-precision closes round that tie upward.",
        "false": "To the letter, standing still is not rising: 486 trending days.",
    },
    chosen="true",
)

STRATEGY = Strategy(
    name="vix_regime",
    title="VIX trending regime: equity by the VIX score",
    source=SOURCE,
    parameters=VixRegimeParameters,
    inputs=("VIX",),
    legs=("SPY",),
    conditions=(
        *VIX_SCORE_CONDITIONS,
        Condition("the fast average of VIX is below the slow one", vix_trends_down),
        Condition("the floor of VIX has not risen for some closes in a row", floor_stopped_rising),
        Condition("VIX is below its lower Bollinger band", below_lower_band),
    ),
    rule=VixRegimeRule,
    postures=("flat", "normal", "caution", "defensive"),
    target_weights=target_weights,
    feasible=feasible,
    ambiguities=(
        FLAT_AVERAGE,
        Ambiguity(
            parameter="latch_score",
            text="The document maps scores to postures and also lists exits 'from the defensive posture'.",
            readings={
                "1": "Caution, too, is kept until an exit.",
                "2": "Only the posture of score 2, which it calls defensive, is kept until an exit.",
                "3": "Each close has the posture of its own score; the exits say nothing more.",
            },
            chosen="2",
        ),
        Ambiguity(
            parameter="rearm",
            text="An exit may come while the score is still 2; the document does not say when to defend again.",
            readings={
                "true": "The score must fall below 2 once; otherwise an exit would last one day.",
                "false": "The defensive posture may be taken again at the next close.",
            },
            chosen="true",
        ),
        Ambiguity(
            parameter="caution_stop",
            text="At score 1 stops are to be tightened; the document gives none, neither here nor for normal times.",
            readings={
                "-1": "No stop: caution is a smaller position.",
                "above -1": "A cautious holding that has lost as much becomes defensive until the score is 0 again.",
            },
            chosen="-1",
        ),
    ),
)
