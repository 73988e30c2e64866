"""The VIX trending regime read from its description, in plain loops: what the engine is compared with.

The score counts a trending regime (fast average above slow, both rising) and a rising floor (rolling minimum). Score 2
takes the defensive posture, which is kept until VIX calms. Nothing here is fast, shared with the engine, or vectorised.
"""

import functools
import math
from collections.abc import Mapping
from typing import Literal

from tests.references.accounting import Decide, carry_out, evaluate
from tests.references.pair import Closes, Metrics, moving_average

NORMAL, CAUTION, DEFENSIVE = 1, 2, 3


def rises(values: list[float | None], lookback: int, *, flat_counts: bool = False) -> list[bool | None]:
    """Whether each value lies above its own of `lookback` sessions ago; `None` where either is missing.

    VIX has two decimals, so a change of less than 1e-12 is a rounding error of none.
    """
    answers: list[bool | None] = []
    for t, now in enumerate(values):
        before = values[t - lookback] if t >= lookback else None
        if now is None or before is None:
            answers.append(None)
            continue
        change = round(now / before - 1, 12)
        answers.append(change > 0 or (flat_counts and change == 0))
    return answers


@functools.lru_cache(maxsize=512)
def rolling_floor(closes: Closes, window: int) -> list[float | None]:
    """Lowest of the last `window` closes."""
    return [min(closes[t + 1 - window : t + 1]) if t + 1 >= window else None for t in range(len(closes))]


@functools.lru_cache(maxsize=512)
def trending(vix: Closes, fast: int, slow: int, lookback: int, flat_counts: bool) -> list[bool]:
    """Whether the fast average is above the slow one and both rise."""
    near, far = moving_average(vix, fast), moving_average(vix, slow)
    near_rises = rises(near, lookback, flat_counts=flat_counts)
    far_rises = rises(far, lookback, flat_counts=flat_counts)
    answers = []
    for t in range(len(vix)):
        above = near[t] is not None and far[t] is not None and near[t] > far[t]  # type: ignore[operator]
        answers.append(above and near_rises[t] is True and far_rises[t] is True)
    return answers


@functools.lru_cache(maxsize=512)
def vix_score(vix: Closes, fast: int, slow: int, lookback: int, floor_window: int, flat_counts: bool) -> list[int]:
    """Trending regime plus rising floor: 0, 1 or 2."""
    regime = trending(vix, fast, slow, lookback, flat_counts)
    floor_rises = rises(rolling_floor(vix, floor_window), lookback)
    return [int(regime[t]) + int(floor_rises[t] is True) for t in range(len(vix))]


@functools.lru_cache(maxsize=512)
def exits(
    vix: Closes,
    fast: int,
    slow: int,
    lookback: int,
    floor_window: int,
    floor_exit_sessions: int,
    bollinger_window: int,
    bollinger_width: float,
) -> list[bool]:
    """Whether one of the three ways out of the defensive posture is open."""
    near, far = moving_average(vix, fast), moving_average(vix, slow)
    floor_rises = rises(rolling_floor(vix, floor_window), lookback)
    middle = moving_average(vix, bollinger_window)
    flat_in_a_row = 0
    answers = []
    for t in range(len(vix)):
        crossed = near[t] is not None and far[t] is not None and near[t] < far[t]  # type: ignore[operator]
        flat_in_a_row = flat_in_a_row + 1 if floor_rises[t] is False else 0
        reverting = False
        centre = middle[t]
        if centre is not None:
            window = vix[t + 1 - bollinger_window : t + 1]
            deviation = math.sqrt(math.fsum((x - centre) ** 2 for x in window) / (bollinger_window - 1))
            reverting = vix[t] < centre - bollinger_width * deviation
        answers.append(crossed or flat_in_a_row >= floor_exit_sessions or reverting)
    return answers


def decisions(score: list[int], leave: list[bool], *, latch_score: int, rearm: bool, caution_stop: float) -> Decide:
    """Posture wanted at each close, with what has to be remembered from one to the next."""
    posture, armed, stopped = 0, True, False

    def decide(t: int, held_return: float) -> int:
        nonlocal posture, armed, stopped
        leaving = leave[t] and latch_score < 3
        if stopped or (posture == CAUTION and held_return <= caution_stop):
            stopped = score[t] > 0
            posture = DEFENSIVE if stopped else NORMAL
            armed = True
            return posture
        if score[t] < 2:
            armed = True
        elif posture == DEFENSIVE and leaving and rearm:
            armed = False
        wanted = NORMAL + score[t]
        if wanted == DEFENSIVE and (leaving or not armed):
            wanted = CAUTION
        latched = posture >= NORMAL + latch_score and not leaving
        posture = max(wanted, posture) if latched else wanted
        return posture

    return decide


def vix_regime(
    closes: Mapping[str, Closes],
    *,
    vix_fast: int = 20,
    vix_slow: int = 50,
    vix_slope_lookback: int = 5,
    flat_average_rises: bool = True,
    vix_floor_window: int = 20,
    floor_exit_sessions: int = 10,
    bollinger_window: int = 20,
    bollinger_width: float = 2.0,
    exposure_normal: float = 1.0,
    exposure_caution: float = 0.5,
    exposure_defensive: float = 0.0,
    latch_score: int = 2,
    rearm: bool = True,
    caution_stop: float = -1.0,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], Metrics]:
    """Run the strategy once on closes of VIX and SPY; return the posture held after each close, and the metrics."""
    vix = closes["VIX"]
    score = vix_score(vix, vix_fast, vix_slow, vix_slope_lookback, vix_floor_window, flat_average_rises)
    leave = exits(
        vix,
        vix_fast,
        vix_slow,
        vix_slope_lookback,
        vix_floor_window,
        floor_exit_sessions,
        bollinger_window,
        bollinger_width,
    )
    weights = [{"SPY": weight} for weight in (0.0, exposure_normal, exposure_caution, exposure_defensive)]
    decide = decisions(score, leave, latch_score=latch_score, rearm=rearm, caution_stop=caution_stop)
    postures = carry_out(decide, closes, weights, rebalance=rebalance)
    return postures, evaluate(closes, weights, postures, rebalance=rebalance, cost=cost)
