"""The momentum-crash classifier read from its description, in plain loops: what the engine is compared with.

QQQ falls behind SPY by more than a threshold over some days. If HYG falls with it, it is a liquidation, else a
rotation. Each is answered by a position that is held for its documented recovery time.
"""

import math
from collections.abc import Mapping
from typing import Literal

from tests.references.accounting import Decide, Weights, carry_out, evaluate
from tests.references.pair import BASKET, Closes, Metrics, drawdown_from_high
from tests.references.vix_regime import vix_score

NORMAL, LIQUIDATION, HEDGED_LIQUIDATION, ROTATION = 1, 2, 3, 4


def spread(qqq: Closes, spy: Closes, window: int, reading: Literal["sum", "compound"]) -> list[float | None]:
    """What QQQ earned more than SPY over the last `window` days."""
    answers: list[float | None] = []
    for t in range(len(qqq)):
        if t < window:
            answers.append(None)
        elif reading == "sum":
            days = range(t + 1 - window, t + 1)
            answers.append(math.fsum(qqq[k] / qqq[k - 1] - spy[k] / spy[k - 1] for k in days))
        else:
            answers.append(qqq[t] / qqq[t - window] - spy[t] / spy[t - window])
    return answers


def decisions(
    behind: list[float | None],
    hyg: list[float | None],
    score: list[int],
    *,
    crash_spread: float,
    hyg_drawdown: float,
    liquidation_vix_score: int,
    hedge_score: int,
    liquidation_sessions: int,
    rotation_sessions: int,
) -> Decide:
    """Posture wanted at each close; a crash type stands until its last close."""
    crash_type, last = "none", -1

    def decide(t: int, held_return: float) -> int:  # noqa: ARG001 - the rule has no stop
        nonlocal crash_type, last
        if t > last:
            crash_type = "none"
        gap, drawdown = behind[t], hyg[t]
        if gap is not None and gap < crash_spread and drawdown is not None:
            if drawdown < hyg_drawdown and score[t] >= liquidation_vix_score:
                crash_type, last = "liquidation", t + liquidation_sessions - 1
            elif crash_type != "liquidation":
                crash_type, last = "rotation", t + rotation_sessions - 1
        if crash_type == "liquidation":
            return HEDGED_LIQUIDATION if score[t] >= hedge_score else LIQUIDATION
        return ROTATION if crash_type == "rotation" else NORMAL

    return decide


def target_weights(
    *,
    exposure_normal: float,
    exposure_liquidation: float,
    hedge: Literal["short_qqq", "long_tlt"],
    hedge_weight: float,
    rotation_position: Literal["basket", "pair"],
    rotation_share: float,
) -> list[Weights]:
    """Fractions of equity in each posture."""
    hedging = {"QQQ": -hedge_weight} if hedge == "short_qqq" else {"TLT": hedge_weight}
    each = exposure_normal * rotation_share / len(BASKET)
    if rotation_position == "basket":
        rotation = {"SPY": exposure_normal * (1 - rotation_share)} | dict.fromkeys(BASKET, each)
    else:
        rotation = {"SPY": exposure_normal, "IGV": -exposure_normal * rotation_share} | dict.fromkeys(BASKET, each)
    return [
        {"SPY": 0.0},
        {"SPY": exposure_normal},
        {"SPY": exposure_liquidation},
        {"SPY": exposure_liquidation} | hedging,
        rotation,
    ]


def momentum_crash(
    closes: Mapping[str, Closes],
    *,
    spread_window: int = 5,
    crash_spread: float = -0.025,
    spread_reading: Literal["sum", "compound"] = "sum",
    hyg_window: int = 20,
    hyg_drawdown: float = -0.03,
    vix_fast: int = 20,
    vix_slow: int = 50,
    vix_slope_lookback: int = 5,
    flat_average_rises: bool = True,
    vix_floor_window: int = 20,
    liquidation_vix_score: int = 0,
    hedge_score: int = 1,
    liquidation_sessions: int = 63,
    rotation_sessions: int = 10,
    exposure_normal: float = 1.0,
    exposure_liquidation: float = 0.5,
    hedge: Literal["short_qqq", "long_tlt"] = "short_qqq",
    hedge_weight: float = 0.25,
    rotation_position: Literal["basket", "pair"] = "basket",
    rotation_share: float = 1.0,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], Metrics]:
    """Run the strategy once; return the posture held after each close, and the metrics.

    Parameters
    ----------
    closes : mapping of str to tuple of float
        Total-return closes of QQQ, SPY, HYG, VIX, TLT, XLE, XLB, XLU and IGV on the same sessions.
    """
    weights = target_weights(
        exposure_normal=exposure_normal,
        exposure_liquidation=exposure_liquidation,
        hedge=hedge,
        hedge_weight=hedge_weight,
        rotation_position=rotation_position,
        rotation_share=rotation_share,
    )
    decide = decisions(
        spread(closes["QQQ"], closes["SPY"], spread_window, spread_reading),
        drawdown_from_high(closes["HYG"], hyg_window),
        vix_score(closes["VIX"], vix_fast, vix_slow, vix_slope_lookback, vix_floor_window, flat_average_rises),
        crash_spread=crash_spread,
        hyg_drawdown=hyg_drawdown,
        liquidation_vix_score=liquidation_vix_score,
        hedge_score=hedge_score,
        liquidation_sessions=liquidation_sessions,
        rotation_sessions=rotation_sessions,
    )
    postures = carry_out(decide, closes, weights, rebalance=rebalance)
    return postures, evaluate(closes, weights, postures, rebalance=rebalance, cost=cost)
