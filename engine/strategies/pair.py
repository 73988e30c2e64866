"""Sector pair: long energy, materials and utilities, short software, while credit is under stress.

Source: credit stress strategies, part 1A. The basket XLE + XLB + XLU is held against IGV in equal amounts of equity.

Entry at close t, when all hold: XLF below its average of ``xlf_dma`` sessions; that average lower than
``slope_lookback`` sessions before; HYG's drawdown from its high of ``hyg_window`` sessions beyond ``hyg_drawdown``;
the fast average of VIX above the slow one. Exit at close t, when any holds: XLF above its average for
``reclaim_sessions`` closes in a row; the fast average of VIX below the slow one; the pair's compounded return since
the fill, gross of costs, at or below ``stop_loss``. Exit wins over entry. What is decided at close t is traded at
close t+1.

An exit at which the stop is reached is a stop-loss exit, whether or not another exit holds too. After it, with
``rearm``, the entry conditions must fail to hold at one later close before the pair may be entered again.
"""

from datetime import date
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from engine.compiled import jit
from engine.panel import Panel
from engine.parameters import ParameterError, parameter
from engine.strategies.conditions import Condition, Reading, above, below, in_a_row
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import POSTURE_MASK, Ambiguity, Strategy
from kernels import rate_of_change, rolling_drawdown, rolling_mean

__all__ = ["STRATEGY", "MarketCap", "PairParameters"]

SOURCE = "credit stress strategies, part 1A"

BASKET = ("XLE", "XLB", "XLU")
LEGS = (*BASKET, "IGV")

# Bits of the code, in the order of the conditions below.
ENTRY = 0b001111
EXIT = 0b110000

FLAT, HELD, DISARMED = 0, 1, POSTURE_MASK + 1


class MarketCap(BaseModel):
    """Assets of the basket's funds on one day, in billions of USD: weights that are fixed in hindsight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    XLE: float = Field(gt=0)
    XLB: float = Field(gt=0)
    XLU: float = Field(gt=0)


class PairParameters(Parameters):
    """Parameters of the sector pair."""

    xlf_dma: int = parameter(
        200, ge=2, documented=(150, 250), unit="sessions", meaning="length of XLF's moving average", source=SOURCE
    )
    hyg_drawdown: float = parameter(
        -0.03,
        lt=0,
        gt=-1,
        documented=(-0.05, -0.02),
        unit="fraction",
        meaning="HYG's drawdown from its high that marks credit stress",
        source=SOURCE,
    )
    basket_weights: Literal["equal", "market_cap"] = parameter(
        "equal",
        documented=("equal", "market_cap"),
        unit="choice",
        meaning="how the long leg is split among XLE, XLB and XLU",
        source=SOURCE,
    )
    stop_loss: float = parameter(
        -0.15,
        lt=0,
        gt=-1,
        documented=(-0.20, -0.10),
        unit="fraction",
        meaning="return of the pair since its fill at which it is closed",
        source=SOURCE,
    )
    slope_lookback: int = parameter(
        20, ge=1, unit="sessions", meaning="span over which the slope of XLF's average is taken", source=SOURCE
    )
    hyg_window: int = parameter(60, ge=2, unit="sessions", meaning="window of HYG's high", source=SOURCE)
    vix_fast: int = parameter(20, ge=1, unit="sessions", meaning="length of VIX's fast average", source=SOURCE)
    vix_slow: int = parameter(50, ge=2, unit="sessions", meaning="length of VIX's slow average", source=SOURCE)
    reclaim_sessions: int = parameter(
        5, ge=1, unit="sessions", meaning="closes in a row above the average that end the trade", source=SOURCE
    )
    hyg_reading: Literal["deeper", "shallower"] = parameter(
        "deeper",
        unit="choice",
        meaning="whether HYG's drawdown must be deeper or shallower than the threshold",
        source=SOURCE,
    )
    rearm: bool = parameter(
        True, unit="choice", meaning="after a stop the entry must lapse once before a new one", source="this engine"
    )
    market_cap: MarketCap | None = parameter(
        None,
        unit="billion USD",
        meaning="assets of the three funds, for basket_weights = market_cap",
        source="the grid",
    )


@jit
def decide(rule: "PairRule", state: int, held_return: float, code: int) -> int:
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    enter = (code & ENTRY) == ENTRY and (code & EXIT) == 0
    if state == HELD:
        if held_return <= rule.stop_loss:
            return DISARMED if rule.rearm != 0.0 else FLAT
        return FLAT if code & EXIT else HELD
    if state == DISARMED and (code & ENTRY) == ENTRY:
        return DISARMED
    return HELD if enter else FLAT


class PairRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    stop_loss: float
    rearm: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field
    stops = MappingProxyType({HELD: "stop_loss"})  # type: ignore[misc]


def xlf_below_average(panel: Panel, xlf_dma: int) -> Reading:
    return below(panel.values("XLF"), panel.indicator(rolling_mean, "XLF", xlf_dma))


def xlf_average_falls(panel: Panel, xlf_dma: int, slope_lookback: int) -> Reading:
    return below(rate_of_change(panel.indicator(rolling_mean, "XLF", xlf_dma), slope_lookback), 0.0)


def credit_is_stressed(panel: Panel, hyg_window: int, hyg_drawdown: float, hyg_reading: str) -> Reading:
    drawdown = panel.indicator(rolling_drawdown, "HYG", hyg_window)
    return below(drawdown, hyg_drawdown) if hyg_reading == "deeper" else above(drawdown, hyg_drawdown)


def vix_trends_up(panel: Panel, vix_fast: int, vix_slow: int) -> Reading:
    return above(panel.indicator(rolling_mean, "VIX", vix_fast), panel.indicator(rolling_mean, "VIX", vix_slow))


def xlf_reclaims_average(panel: Panel, xlf_dma: int, reclaim_sessions: int) -> Reading:
    return in_a_row(above(panel.values("XLF"), panel.indicator(rolling_mean, "XLF", xlf_dma)), reclaim_sessions)


def vix_trends_down(panel: Panel, vix_fast: int, vix_slow: int) -> Reading:
    return below(panel.indicator(rolling_mean, "VIX", vix_fast), panel.indicator(rolling_mean, "VIX", vix_slow))


def target_weights(basket_weights: str, market_cap: MarketCap | None) -> NDArray[np.float64]:
    """Fractions of equity by posture: nothing, or the basket long and IGV short."""
    if basket_weights == "equal":
        shares = np.full(len(BASKET), 1.0 / len(BASKET))
    elif market_cap is None:
        message = (
            "basket_weights = 'market_cap' needs the funds' assets and their date: "
            "add [strategy.market_cap] with date, XLE, XLB and XLU"
        )
        raise ParameterError(message)
    else:
        assets = np.array([getattr(market_cap, name) for name in BASKET])
        shares = assets / assets.sum()
    return np.array([[0.0] * len(LEGS), [*shares, -1.0]])


def feasible(vix_fast: int, vix_slow: int) -> bool:
    """Tell whether VIX's fast average is the faster one."""
    return vix_fast < vix_slow


def hindsight(basket_weights: str, market_cap: MarketCap | None) -> str | None:
    """Say what a result owes to hindsight."""
    if basket_weights == "equal" or market_cap is None:
        return None
    return f"market-cap weights are those of {market_cap.date}, fixed in hindsight for the whole sample"


STRATEGY = Strategy(
    name="pair",
    title="Sector pair: energy, materials and utilities against software",
    source=SOURCE,
    parameters=PairParameters,
    inputs=("XLF", "HYG", "VIX"),
    legs=LEGS,
    conditions=(
        Condition("XLF is below its moving average", xlf_below_average),
        Condition("the moving average of XLF falls", xlf_average_falls),
        Condition("HYG's drawdown from its high marks credit stress", credit_is_stressed),
        Condition("the fast average of VIX is above the slow one", vix_trends_up),
        Condition("XLF has been above its moving average for some closes in a row", xlf_reclaims_average),
        Condition("the fast average of VIX is below the slow one", vix_trends_down),
    ),
    rule=PairRule,
    postures=("flat", "long basket, short software"),
    target_weights=target_weights,
    feasible=feasible,
    hindsight=hindsight,
    ambiguities=(
        Ambiguity(
            parameter="hyg_reading",
            text="The entry asks for a HYG drawdown from the 60-day high '> -3%'.",
            readings={
                "deeper": "The drawdown goes beyond the threshold: credit is stressed. The same document calls the "
                "trade premature until HYG breaks down.",
                "shallower": "The drawdown is, literally, a greater number than the threshold: credit is calm.",
            },
            chosen="deeper",
        ),
        Ambiguity(
            parameter="rearm",
            text="The document does not say whether a stopped pair may be entered again on the next close.",
            readings={
                "true": "The entry conditions must lapse once first; otherwise a stop would only cost a round trip.",
                "false": "It may be entered again as soon as the conditions hold.",
            },
            chosen="true",
        ),
        Ambiguity(
            parameter="rebalance",
            text="The document rebalances the basket daily; it does not say whether the two legs are kept equal.",
            readings={
                "daily": "All legs are traded back to their weights at every close, as in the document's own returns.",
                "entry": "Holdings are fixed at the fill and run to the exit.",
            },
            chosen="daily",
        ),
    ),
)
