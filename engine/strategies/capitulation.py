"""Composite capitulation score: reduce, hedge, and accumulate as a sell-off turns into capitulation.

Source: credit stress strategies, part 4. The score of a close is the sum of the weights of its components:

* VIX extreme: VIX's z-score over ``vix_z_window`` sessions is above ``vix_z``;
* HYG stress: its drawdown from its high of ``hyg_window`` sessions is beyond ``hyg_drawdown``;
* breadth collapse: SPY closed lower on at least ``breadth_declines`` of the last ``breadth_window`` days;
* financials weak: XLF is below its average of ``xlf_dma`` sessions.

From ``reduce_score`` on (2) equity is reduced. From ``hedge_score`` on (3) it is hedged, and the sector pair is
started: it is entered and left by the pair strategy's own rule, and equity stays hedged while it is held. From
``accumulate_score`` on (4) the pair is closed and equity is bought, part of it bitcoin as a recovery trade, and kept
for ``accumulate_sessions`` after the last such close, whatever the score does. Below, equity is held as in normal
times.

A component that is undefined counts nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inner, jit
from engine.panel import Panel
from engine.parameters import parameter
from engine.strategies import pair
from engine.strategies.conditions import Condition, Reading, above, at_least, read_condition
from engine.strategies.pair import PairParameters, credit_is_stressed, xlf_below_average
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from kernels import change, rolling_sum, rolling_zscore

__all__ = [
    "CAPITULATION_COMPONENTS",
    "STRATEGY",
    "CapitulationParameters",
    "CapitulationScoreParameters",
    "capitulation_score",
    "capitulation_scores",
]

SOURCE = "credit stress strategies, part 4"

SPY, BTC = 0, 1
PAIR = slice(2, None)

# Bits of the code, in the order of the conditions below; the pair's own follow those of the score.
VIX_EXTREME, HYG_STRESSED, BREADTH_COLLAPSED, XLF_WEAK = 1, 2, 4, 8
PAIR_BITS = 4

NORMAL, REDUCED, HEDGED, HEDGED_WITH_PAIR, ACCUMULATING = 1, 2, 3, 4, 5
PAIR_DISARMED, STOPPED, SESSION = POSTURE_MASK + 1, 2 * (POSTURE_MASK + 1), 4 * (POSTURE_MASK + 1)
"""Memory in a state: the pair must re-arm; a reduced holding was stopped; one session is left to accumulate."""


class CapitulationScoreParameters(Parameters):
    """What the capitulation score is made of; shared by every strategy that uses it."""

    vix_z_window: int = parameter(60, ge=2, unit="sessions", meaning="window of VIX's z-score", source=SOURCE)
    vix_z: float = parameter(
        2.0,
        documented=(2.0, 3.0),
        unit="standard deviations",
        meaning="z-score above which VIX is extreme",
        source=SOURCE,
    )
    hyg_window: int = parameter(60, ge=2, unit="sessions", meaning="window of HYG's high", source=SOURCE)
    hyg_drawdown: float = parameter(
        -0.03,
        lt=0,
        gt=-1,
        documented=(-0.05, -0.03),
        unit="fraction",
        meaning="HYG's drawdown from its high that marks credit stress",
        source=SOURCE,
    )
    breadth_window: int = parameter(10, ge=1, unit="sessions", meaning="days over which declines count", source=SOURCE)
    breadth_declines: int = parameter(
        7, ge=1, documented=(7, 8), unit="days", meaning="declines of SPY that make breadth collapse", source=SOURCE
    )
    xlf_dma: int = parameter(200, ge=2, unit="sessions", meaning="length of XLF's moving average", source=SOURCE)
    weight_vix: float = parameter(1.0, ge=0, unit="score", meaning="weight of the VIX extreme", source=SOURCE)
    weight_hyg: float = parameter(1.0, ge=0, unit="score", meaning="weight of HYG stress", source=SOURCE)
    weight_breadth: float = parameter(1.0, ge=0, unit="score", meaning="weight of the breadth collapse", source=SOURCE)
    weight_xlf: float = parameter(1.0, ge=0, unit="score", meaning="weight of weak financials", source=SOURCE)


class CapitulationParameters(CapitulationScoreParameters, PairParameters):
    """Parameters of the capitulation strategy: those of its score, of the pair that it starts, and of its actions."""

    reduce_score: float = parameter(2.0, unit="score", meaning="least score at which equity is reduced", source=SOURCE)
    hedge_score: float = parameter(
        3.0, unit="score", meaning="least score at which equity is hedged and the pair started", source=SOURCE
    )
    accumulate_score: float = parameter(
        4.0, unit="score", meaning="least score at which equity and bitcoin are bought", source=SOURCE
    )
    accumulate_sessions: int = parameter(
        63,
        ge=1,
        documented=(21, 63),
        unit="sessions",
        meaning="how long what was accumulated is kept: the horizons that the document measures",
        source=SOURCE,
    )
    pair_needs_entry: bool = parameter(
        True, unit="choice", meaning="the pair is started only where its own entry conditions hold too", source=SOURCE
    )
    reduced_stop: float = parameter(
        -1.0,
        ge=-1,
        lt=0,
        unit="fraction",
        meaning="return of the reduced holding since its fill at which it is hedged until the level changes; -1: none",
        source=SOURCE,
    )
    exposure_normal: float = parameter(
        1.0, ge=-2, le=2, unit="fraction", meaning="SPY held in normal times", source="this engine"
    )
    exposure_reduced: float = parameter(
        0.5, ge=-2, le=2, unit="fraction", meaning="SPY held when reduced", source="this engine"
    )
    exposure_hedged: float = parameter(
        0.0, ge=-2, le=2, unit="fraction", meaning="SPY held at maximum hedging", source="this engine"
    )
    pair_weight: float = parameter(
        1.0, ge=0, le=2, unit="fraction", meaning="size of each side of the pair", source="this engine"
    )
    exposure_accumulate: float = parameter(
        1.0, ge=0, le=2, unit="fraction", meaning="SPY and bitcoin held when accumulating", source="this engine"
    )
    btc_share: float = parameter(
        0.1, ge=0, le=1, unit="fraction", meaning="part of what is accumulated that is bitcoin", source="this engine"
    )


@jit
def capitulation_score(rule: Any, code: int) -> float:
    """Score of a code whose lowest bits are `CAPITULATION_COMPONENTS`, by the weights in a rule."""
    score = 0.0
    if code & VIX_EXTREME:
        score += rule.weight_vix
    if code & HYG_STRESSED:
        score += rule.weight_hyg
    if code & BREADTH_COLLAPSED:
        score += rule.weight_breadth
    if code & XLF_WEAK:
        score += rule.weight_xlf
    return score


@jit
def decide(rule: "CapitulationRule", state: int, held_return: float, code: int) -> int:
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    score = capitulation_score(rule, code)
    if score >= rule.accumulate_score:
        return ACCUMULATING + SESSION * int(rule.accumulate_sessions)
    posture = state & POSTURE_MASK
    left = state // SESSION - 1
    if posture == ACCUMULATING and left > 0:
        return ACCUMULATING + SESSION * left
    severe = score >= rule.hedge_score
    pair_state = _pair_state(rule, state, held_return, code, severe)
    if pair_state == pair.HELD:
        return HEDGED_WITH_PAIR
    memory = PAIR_DISARMED if pair_state == pair.DISARMED else 0
    if severe:
        return HEDGED | memory
    if score < rule.reduce_score:
        return NORMAL | memory
    stopped = (state & STOPPED) != 0 or (posture == REDUCED and held_return <= rule.reduced_stop)
    return (HEDGED | STOPPED | memory) if stopped else (REDUCED | memory)


@inner
def _pair_state(rule: Any, state: int, held_return: float, code: int, severe: bool) -> int:
    """Run the pair's own rule; to it, an entry is one of its own that comes while the score is severe."""
    before = pair.DISARMED if state & PAIR_DISARMED else pair.FLAT
    if state & POSTURE_MASK == HEDGED_WITH_PAIR:
        before = pair.HELD
    pair_code = code >> PAIR_BITS
    if not severe:
        pair_code &= ~pair.ENTRY
    elif rule.pair_needs_entry == 0.0:
        pair_code |= pair.ENTRY
    return pair.decide(rule, before, held_return, pair_code)


class CapitulationRule(NamedTuple):
    """The numbers that `decide` reads at each close, those of the pair's rule among them."""

    weight_vix: float
    weight_hyg: float
    weight_breadth: float
    weight_xlf: float
    reduce_score: float
    hedge_score: float
    accumulate_score: float
    accumulate_sessions: float
    pair_needs_entry: float
    reduced_stop: float
    stop_loss: float
    rearm: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field
    stops = MappingProxyType({REDUCED: "reduced_stop", HEDGED_WITH_PAIR: "stop_loss"})  # type: ignore[misc]


def vix_is_extreme(panel: Panel, vix_z_window: int, vix_z: float) -> Reading:
    return above(panel.indicator(rolling_zscore, "VIX", vix_z_window), vix_z)


def hyg_is_stressed(panel: Panel, hyg_window: int, hyg_drawdown: float) -> Reading:
    return credit_is_stressed(panel, hyg_window, hyg_drawdown, "deeper")


def breadth_collapses(panel: Panel, breadth_window: int, breadth_declines: int) -> Reading:
    daily = panel.indicator(change, "SPY", 1)
    declines = np.where(np.isnan(daily), np.nan, daily < 0.0)
    return at_least(rolling_sum(declines, breadth_window), breadth_declines)


def target_weights(
    basket_weights: str,
    market_cap: pair.MarketCap | None,
    exposure_normal: float,
    exposure_reduced: float,
    exposure_hedged: float,
    pair_weight: float,
    exposure_accumulate: float,
    btc_share: float,
) -> NDArray[np.float64]:
    """Fractions of equity by posture: SPY by level, the pair beside it, and bitcoin among what is accumulated."""
    weights = np.zeros((6, 2 + len(pair.LEGS)))
    weights[:, SPY] = [0.0, exposure_normal, exposure_reduced, exposure_hedged, exposure_hedged, 0.0]
    weights[HEDGED_WITH_PAIR, PAIR] = pair_weight * pair.target_weights(basket_weights, market_cap)[pair.HELD]
    weights[ACCUMULATING, SPY] = exposure_accumulate * (1.0 - btc_share)
    weights[ACCUMULATING, BTC] = exposure_accumulate * btc_share
    return weights


def feasible(
    vix_fast: int,
    vix_slow: int,
    breadth_window: int,
    breadth_declines: int,
    reduce_score: float,
    hedge_score: float,
    accumulate_score: float,
) -> bool:
    """Tell whether the averages, the count of declines and the levels are in order."""
    levels_rise = reduce_score < hedge_score < accumulate_score
    return pair.feasible(vix_fast, vix_slow) and breadth_declines <= breadth_window and levels_rise


CAPITULATION_COMPONENTS = (
    Condition("VIX is extreme by its z-score", vix_is_extreme),
    Condition("HYG's drawdown from its high marks credit stress", hyg_is_stressed),
    Condition("SPY has declined on most of the last days", breadth_collapses),
    Condition("XLF is below its moving average", xlf_below_average),
)
"""What `capitulation_score` adds up; a strategy that uses the score has them first, in this order."""


class ScoreWeights(NamedTuple):
    """The numbers that `capitulation_score` reads."""

    weight_vix: float
    weight_hyg: float
    weight_breadth: float
    weight_xlf: float


def capitulation_scores(panel: Panel, parameters: Mapping[str, Any]) -> NDArray[np.float64]:
    """Score at each close, float64 (rows,); an undefined component counts nothing.

    Parameters
    ----------
    panel
        With VIX, HYG, SPY and XLF.
    parameters
        Those of `CapitulationScoreParameters`, and any others.
    """
    met = [read_condition(component, panel, parameters).met for component in CAPITULATION_COMPONENTS]
    codes = np.sum([flags.astype(np.int64) << bit for bit, flags in enumerate(met)], axis=0)
    weights = ScoreWeights(*(float(parameters[name]) for name in ScoreWeights._fields))
    table = np.array([capitulation_score(weights, code) for code in range(1 << len(met))], np.float64)
    scores: NDArray[np.float64] = table[codes]
    return scores


STRATEGY = Strategy(
    name="capitulation",
    title="Composite capitulation score: reduce, hedge with the pair, accumulate",
    source=SOURCE,
    parameters=CapitulationParameters,
    inputs=("VIX", "HYG", "SPY", "XLF"),
    legs=("SPY", "BTC-USD", *pair.LEGS),
    conditions=(*CAPITULATION_COMPONENTS, *pair.STRATEGY.conditions),
    rule=CapitulationRule,
    postures=("flat", "normal", "reduced", "hedged", "hedged with the pair", "accumulating"),
    target_weights=target_weights,
    always=ACCUMULATING,
    feasible=feasible,
    hindsight=pair.hindsight,
    ambiguities=(
        Ambiguity(
            parameter="pair_needs_entry",
            text="Score 3 asks to initiate the pair trade, which has entry conditions of its own.",
            readings={
                "true": "Both: the pair is entered at a close with a severe score at which its own conditions hold.",
                "false": "The severe score is the entry; the pair's own exits, stop and re-arming stay.",
            },
            chosen="true",
        ),
        Ambiguity(
            parameter="accumulate_sessions",
            text="Score 4 asks to begin accumulating long-term positions; nothing says when that ends.",
            readings={
                "21": "One month, over which the document measures the score.",
                "63": "Three months, over which it measures the single signals.",
            },
            chosen="63",
        ),
        Ambiguity(
            parameter="reduced_stop",
            text="Score 2 asks to tighten stops; the document gives none.",
            readings={
                "-1": "No stop: reducing is a smaller position.",
                "above -1": "A reduced holding that has lost as much is hedged until the level changes.",
            },
            chosen="-1",
        ),
        *(ambiguity for ambiguity in pair.STRATEGY.ambiguities if ambiguity.parameter != "rebalance"),
    ),
)
