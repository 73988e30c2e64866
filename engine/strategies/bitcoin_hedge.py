"""Bitcoin as a hedge: part of equity goes to bitcoin while the market is under stress.

Source: credit stress strategies, part 3, which tests this reading and rejects it. Three marks of stress may be chosen,
one or more: VIX rises by more than ``vix_jump`` in a day; VIX trends up, as in the VIX regime strategy; HYG's drawdown
from its high of ``hyg_window`` sessions is beyond ``hyg_drawdown``. Bitcoin is held for ``hold_sessions`` after each
close under stress, so that 1 is holding it exactly while the stress lasts.

Bitcoin trades every day and its daily bar ends at midnight UTC. At a New York close the bar of the day before is the
last one known, and it is what the panel holds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies.conditions import Condition, Reading, above
from engine.strategies.pair import credit_is_stressed
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from engine.strategies.vix_regime import FLAT_AVERAGE, VixTrendParameters, regime_trends
from engine.strategies.vix_regime import feasible as averages_in_order
from kernels import rate_of_change

__all__ = ["STRATEGY", "BitcoinHedgeParameters", "BitcoinPosition", "target_weights"]

SOURCE = "credit stress strategies, part 3"

LEGS = ("SPY", "BTC-USD")

# Bits of the code, in the order of the conditions below.
VIX_JUMPS, VIX_TRENDS, CREDIT_STRESSED = 1, 2, 4

NORMAL, WITH_BITCOIN = 1, 2
SESSION = POSTURE_MASK + 1
"""One session that is left to hold, in a state."""


class BitcoinPosition(Parameters):
    """How much bitcoin is held beside equity; shared by both readings."""

    exposure_normal: float = parameter(
        1.0, ge=-2, le=2, unit="fraction", meaning="SPY held without bitcoin", source="this engine"
    )
    exposure_with_btc: float = parameter(
        1.0, ge=-2, le=2, unit="fraction", meaning="SPY and bitcoin held together", source="this engine"
    )
    btc_share: float = parameter(
        0.25, ge=0, le=1, unit="fraction", meaning="part of what is then held that is bitcoin", source="this engine"
    )


class BitcoinHedgeParameters(BitcoinPosition, VixTrendParameters):
    """Parameters of bitcoin as a hedge."""

    on_vix_jump: bool = parameter(False, unit="choice", meaning="a jump of VIX is stress", source=SOURCE)
    on_vix_trend: bool = parameter(False, unit="choice", meaning="a trending VIX is stress", source=SOURCE)
    on_credit_stress: bool = parameter(True, unit="choice", meaning="HYG's drawdown is stress", source=SOURCE)
    vix_jump: float = parameter(
        0.15, gt=0, unit="fraction", meaning="rise of VIX in a day that is a jump", source=SOURCE
    )
    hyg_window: int = parameter(
        60, ge=2, unit="sessions", meaning="window of HYG's high", source="credit stress strategies, part 4"
    )
    hyg_drawdown: float = parameter(
        -0.03,
        lt=0,
        gt=-1,
        documented=(-0.05, -0.02),
        unit="fraction",
        meaning="HYG's drawdown from its high that marks credit stress",
        source="credit stress strategies, parts 1A and 4",
    )
    hold_sessions: int = parameter(
        1,
        ge=1,
        documented=(1, 21),
        unit="sessions",
        meaning="how long bitcoin is held after each close under stress",
        source=SOURCE,
    )


@jit
def decide(rule: "BitcoinHedgeRule", state: int, held_return: float, code: int) -> int:  # noqa: ARG001 - no stop
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    jump = (code & VIX_JUMPS) != 0 and rule.on_vix_jump != 0.0
    trend = (code & VIX_TRENDS) != 0 and rule.on_vix_trend != 0.0
    credit = (code & CREDIT_STRESSED) != 0 and rule.on_credit_stress != 0.0
    left = int(rule.hold_sessions) if jump or trend or credit else state // SESSION - 1
    return WITH_BITCOIN + SESSION * left if left > 0 else NORMAL


class BitcoinHedgeRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    on_vix_jump: float
    on_vix_trend: float
    on_credit_stress: float
    hold_sessions: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field


def vix_jumps(panel: Panel, vix_jump: float) -> Reading:
    return above(panel.indicator(rate_of_change, "VIX", 1), vix_jump)


def hyg_is_stressed(panel: Panel, hyg_window: int, hyg_drawdown: float) -> Reading:
    return credit_is_stressed(panel, hyg_window, hyg_drawdown, "deeper")


def target_weights(exposure_normal: float, exposure_with_btc: float, btc_share: float) -> NDArray[np.float64]:
    """Fractions of equity in SPY and bitcoin by posture."""
    together = [exposure_with_btc * (1.0 - btc_share), exposure_with_btc * btc_share]
    return np.array([[0.0, 0.0], [exposure_normal, 0.0], together])


def feasible(vix_fast: int, vix_slow: int, on_vix_jump: bool, on_vix_trend: bool, on_credit_stress: bool) -> bool:
    """Tell whether a mark of stress is chosen and VIX's averages are in order."""
    return averages_in_order(vix_fast, vix_slow) and (on_vix_jump or on_vix_trend or on_credit_stress)


STRATEGY = Strategy(
    name="bitcoin_hedge",
    title="Bitcoin as a hedge: held while the market is under stress",
    source=SOURCE,
    parameters=BitcoinHedgeParameters,
    inputs=("VIX", "HYG"),
    legs=LEGS,
    conditions=(
        Condition("VIX has jumped in a day", vix_jumps),
        Condition("VIX trends up", regime_trends),
        Condition("HYG's drawdown from its high marks credit stress", hyg_is_stressed),
    ),
    rule=BitcoinHedgeRule,
    postures=("flat", "normal", "with bitcoin"),
    target_weights=target_weights,
    always=WITH_BITCOIN,
    feasible=feasible,
    ambiguities=(
        Ambiguity(
            parameter="on_credit_stress",
            text="The hedge is tested on three episodes and on days of a VIX jump; no rule is given.",
            readings={
                "on_credit_stress": "HYG's drawdown marks the stress, as elsewhere in the document.",
                "on_vix_jump": "A rise of VIX by more than 15% in a day does, as in the document's table.",
                "on_vix_trend": "A trending VIX does.",
            },
            chosen="on_credit_stress",
        ),
        Ambiguity(
            parameter="hold_sessions",
            text="The document looks at the days of stress themselves and at the 30 days that follow.",
            readings={
                "1": "Bitcoin is held while the stress lasts.",
                "21": "It is held for 30 days, 21 sessions, after each day of stress.",
            },
            chosen="1",
        ),
        FLAT_AVERAGE,
    ),
)
