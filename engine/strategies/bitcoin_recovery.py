"""Bitcoin as a recovery trade: part of equity goes to bitcoin once capitulation has been reached.

Source: credit stress strategies, part 3, which proposes this reading in place of the hedge. Capitulation is a close at
which the score of part 4 is at least ``entry_score``. Bitcoin is bought then or, with ``wait_for_resolution``, at the
first close at which the score has come down to ``resolved_score``; with ``wait_for_easing`` also not before monetary
policy eases, which is read off the three-month bill: its rate has changed by ``easing_change`` or less in
``easing_lookback`` sessions. It is held for ``hold_sessions``, counted anew where it would be bought again.

The bill's rate of a day is known the next morning; the panel holds at each close what was known then.
"""

from typing import NamedTuple

import numpy as np

from engine.compiled import jit
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies.bitcoin_hedge import LEGS, NORMAL, WITH_BITCOIN, BitcoinPosition, target_weights
from engine.strategies.capitulation import (
    CAPITULATION_COMPONENTS,
    CapitulationScoreParameters,
    capitulation_score,
)
from engine.strategies.conditions import Condition, Reading, at_most
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from kernels import change

__all__ = ["STRATEGY", "BitcoinRecoveryParameters"]

SOURCE = "credit stress strategies, part 3"

# Bit of the code that follows those of the score.
POLICY_EASES = 1 << 4

CAPITULATED, SESSION = POSTURE_MASK + 1, 2 * (POSTURE_MASK + 1)
"""Memory in a state: capitulation was reached and bitcoin not bought yet; one session is left to hold."""


class BitcoinRecoveryParameters(BitcoinPosition, CapitulationScoreParameters):
    """Parameters of bitcoin as a recovery trade."""

    entry_score: float = parameter(4.0, unit="score", meaning="least score that is capitulation", source=SOURCE)
    wait_for_resolution: bool = parameter(
        False, unit="choice", meaning="bitcoin is bought only when the score has come down again", source=SOURCE
    )
    resolved_score: float = parameter(
        1.0, unit="score", meaning="score at which stress has resolved", source="credit stress strategies, part 4"
    )
    wait_for_easing: bool = parameter(
        False, unit="choice", meaning="bitcoin is bought only when monetary policy eases", source=SOURCE
    )
    easing_lookback: int = parameter(
        63, ge=1, unit="sessions", meaning="span of the bill rate's change", source="this engine"
    )
    easing_change: float = parameter(
        -0.25, unit="percentage points", meaning="change of the bill rate that is easing", source="this engine"
    )
    hold_sessions: int = parameter(
        63,
        ge=1,
        documented=(21, 63),
        unit="sessions",
        meaning="how long bitcoin is held: the horizons that the document measures",
        source="credit stress strategies, part 4",
    )


@jit
def decide(rule: "BitcoinRecoveryRule", state: int, held_return: float, code: int) -> int:  # noqa: ARG001 - no stop
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    score = capitulation_score(rule, code)
    capitulated = (state & CAPITULATED) != 0 or score >= rule.entry_score
    resolved = rule.wait_for_resolution == 0.0 or score <= rule.resolved_score
    eases = rule.wait_for_easing == 0.0 or (code & POLICY_EASES) != 0
    if capitulated and resolved and eases:
        return WITH_BITCOIN + SESSION * int(rule.hold_sessions)
    left = state // SESSION - 1
    kept = WITH_BITCOIN + SESSION * left if left > 0 else NORMAL
    return kept | CAPITULATED if capitulated else kept


class BitcoinRecoveryRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    weight_vix: float
    weight_hyg: float
    weight_breadth: float
    weight_xlf: float
    entry_score: float
    wait_for_resolution: float
    resolved_score: float
    wait_for_easing: float
    hold_sessions: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field


def policy_eases(panel: Panel, wait_for_easing: bool, easing_lookback: int, easing_change: float) -> Reading:
    if not wait_for_easing:  # the bill is not asked for, and the store may lack it
        return at_most(np.full(len(panel.dates), np.nan), easing_change)
    return at_most(panel.indicator(change, "DTB3", easing_lookback), easing_change)


def feasible(breadth_window: int, breadth_declines: int, entry_score: float, resolved_score: float) -> bool:
    """Tell whether the count of declines is possible, and stress ends lower than capitulation begins."""
    return breadth_declines <= breadth_window and resolved_score < entry_score


STRATEGY = Strategy(
    name="bitcoin_recovery",
    title="Bitcoin as a recovery trade: bought after capitulation",
    source=SOURCE,
    parameters=BitcoinRecoveryParameters,
    inputs=("VIX", "HYG", "SPY", "XLF"),
    legs=LEGS,
    conditions=(*CAPITULATION_COMPONENTS, Condition("monetary policy eases, where that is waited for", policy_eases)),
    rule=BitcoinRecoveryRule,
    postures=("flat", "normal", "with bitcoin"),
    target_weights=target_weights,
    always=WITH_BITCOIN,
    feasible=feasible,
    optional_inputs=("DTB3",),
    ambiguities=(
        Ambiguity(
            parameter="wait_for_resolution",
            text="Bitcoin is said to recover once stress resolves, and is to be bought when capitulation signals fire.",
            readings={
                "false": "It is bought when the signal fires.",
                "true": "It is bought when the score is back at 0 or 1, which the document calls normal.",
            },
            chosen="false",
        ),
        Ambiguity(
            parameter="wait_for_easing",
            text="It is said to recover once monetary policy eases, which the document does not measure.",
            readings={
                "false": "The capitulation signal stands for it.",
                "true": "The three-month bill must have fallen by a quarter of a point in three months.",
            },
            chosen="false",
        ),
        Ambiguity(
            parameter="hold_sessions",
            text="The document names no exit.",
            readings={
                "21": "One month, over which the document measures the score.",
                "63": "Three months, over which it measures the single signals.",
            },
            chosen="63",
        ),
    ),
)
