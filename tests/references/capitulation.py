"""The capitulation score read from its description, in plain loops: what the engine is compared with.

Four components, each counted with its weight: an extreme of VIX, stress in HYG, a collapse of breadth, weak
financials. Score 2 reduces equity, 3 hedges and starts the sector pair, 4 accumulates equity and bitcoin.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from tests.references.accounting import Decide, Weights, carry_out, evaluate
from tests.references.pair import (
    BASKET,
    Closes,
    Metrics,
    drawdown_from_high,
    entry_conditions,
    moving_average,
    reclaimed,
    vix_calms,
)

NORMAL, REDUCED, HEDGED, HEDGED_WITH_PAIR, ACCUMULATING = 1, 2, 3, 4, 5


@functools.lru_cache(maxsize=512)
def z_score(closes: Closes, window: int) -> list[float | None]:
    """The close less the mean of the last `window` closes, over their sample standard deviation."""
    averages = moving_average(closes, window)
    answers: list[float | None] = []
    for t, average in enumerate(averages):
        if average is None:
            answers.append(None)
            continue
        squares = math.fsum((x - average) ** 2 for x in closes[t + 1 - window : t + 1])
        deviation = math.sqrt(squares / (window - 1))
        answers.append((closes[t] - average) / deviation if deviation > 0 else None)
    return answers


@functools.lru_cache(maxsize=512)
def declines(closes: Closes, window: int) -> list[int | None]:
    """How many of the last `window` days closed lower than the day before."""
    answers: list[int | None] = []
    for t in range(len(closes)):
        days = range(t + 1 - window, t + 1)
        answers.append(sum(1 for k in days if closes[k] < closes[k - 1]) if t >= window else None)
    return answers


def components(
    closes: Mapping[str, Closes],
    *,
    vix_z_window: int,
    vix_z: float,
    hyg_window: int,
    hyg_drawdown: float,
    breadth_window: int,
    breadth_declines: int,
    xlf_dma: int,
) -> list[tuple[bool, bool, bool, bool]]:
    """VIX extreme, HYG stress, breadth collapse and weak financials at each close; what is undefined is not met."""
    extreme = z_score(closes["VIX"], vix_z_window)
    drawdown = drawdown_from_high(closes["HYG"], hyg_window)
    breadth = declines(closes["SPY"], breadth_window)
    average = moving_average(closes["XLF"], xlf_dma)
    answers = []
    for t in range(len(closes["SPY"])):
        z, hyg, fallen, xlf = extreme[t], drawdown[t], breadth[t], average[t]
        answers.append(
            (
                z is not None and z > vix_z,
                hyg is not None and hyg < hyg_drawdown,
                fallen is not None and fallen >= breadth_declines,
                xlf is not None and closes["XLF"][t] < xlf,
            )
        )
    return answers


def weighted_score(met: Sequence[tuple[bool, ...]], weights: Sequence[float]) -> list[float]:
    """Sum of the weights of the components that are met."""
    return [sum(weight for weight, component in zip(weights, row, strict=True) if component) for row in met]


def decisions(
    score: list[float],
    pair_entry: list[bool],
    pair_exit: list[bool],
    *,
    reduce_score: float,
    hedge_score: float,
    accumulate_score: float,
    accumulate_sessions: int,
    reduced_stop: float,
    stop_loss: float,
    rearm: bool,
    pair_needs_entry: bool,
) -> Decide:
    """Posture wanted at each close, with what has to be remembered from one to the next."""
    posture, last, pair_armed, stopped = 0, -1, True, False

    def decide(t: int, held_return: float) -> int:
        nonlocal posture, last, pair_armed, stopped
        if score[t] >= accumulate_score:
            last = t + accumulate_sessions - 1
        if t <= last:
            posture, pair_armed, stopped = ACCUMULATING, True, False
            return posture

        severe = score[t] >= hedge_score
        elevated = score[t] >= reduce_score and not severe
        stopped = elevated and (stopped or (posture == REDUCED and held_return <= reduced_stop))

        start_pair = severe and (pair_entry[t] or not pair_needs_entry)
        if posture == HEDGED_WITH_PAIR:
            if held_return <= stop_loss:
                keep_pair = False
                pair_armed = not rearm
            else:
                keep_pair = not pair_exit[t]
        else:
            if not start_pair:
                pair_armed = True
            keep_pair = start_pair and not pair_exit[t] and pair_armed

        if keep_pair:
            posture, stopped = HEDGED_WITH_PAIR, False
        elif severe or stopped:
            posture = HEDGED
        else:
            posture = REDUCED if elevated else NORMAL
        return posture

    return decide


def capitulation(
    closes: Mapping[str, Closes],
    *,
    vix_z_window: int = 60,
    vix_z: float = 2.0,
    hyg_window: int = 60,
    hyg_drawdown: float = -0.03,
    breadth_window: int = 10,
    breadth_declines: int = 7,
    xlf_dma: int = 200,
    weight_vix: float = 1.0,
    weight_hyg: float = 1.0,
    weight_breadth: float = 1.0,
    weight_xlf: float = 1.0,
    reduce_score: float = 2.0,
    hedge_score: float = 3.0,
    accumulate_score: float = 4.0,
    accumulate_sessions: int = 63,
    reduced_stop: float = -1.0,
    slope_lookback: int = 20,
    vix_fast: int = 20,
    vix_slow: int = 50,
    reclaim_sessions: int = 5,
    hyg_reading: Literal["deeper", "shallower"] = "deeper",
    stop_loss: float = -0.15,
    rearm: bool = True,
    pair_needs_entry: bool = True,
    basket_weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    exposure_normal: float = 1.0,
    exposure_reduced: float = 0.5,
    exposure_hedged: float = 0.0,
    pair_weight: float = 1.0,
    exposure_accumulate: float = 1.0,
    btc_share: float = 0.1,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], Metrics]:
    """Run the strategy once; return the posture held after each close, and the metrics.

    Parameters
    ----------
    closes : mapping of str to tuple of float
        Total-return closes of SPY, BTC-USD, XLE, XLB, XLU, IGV, XLF, HYG and VIX on the same sessions.
    """
    score = weighted_score(
        components(
            closes,
            vix_z_window=vix_z_window,
            vix_z=vix_z,
            hyg_window=hyg_window,
            hyg_drawdown=hyg_drawdown,
            breadth_window=breadth_window,
            breadth_declines=breadth_declines,
            xlf_dma=xlf_dma,
        ),
        (weight_vix, weight_hyg, weight_breadth, weight_xlf),
    )
    pair_entry = entry_conditions(
        closes,
        xlf_dma=xlf_dma,
        hyg_drawdown=hyg_drawdown,
        slope_lookback=slope_lookback,
        hyg_window=hyg_window,
        vix_fast=vix_fast,
        vix_slow=vix_slow,
        hyg_reading=hyg_reading,
    )
    calm = vix_calms(closes, vix_fast=vix_fast, vix_slow=vix_slow)
    reclaim = reclaimed(closes["XLF"], xlf_dma, reclaim_sessions)
    pair_exit = [out or over for out, over in zip(reclaim, calm, strict=True)]
    total = sum(basket_weights)
    pair = {leg: pair_weight * share / total for leg, share in zip(BASKET, basket_weights, strict=True)}
    pair["IGV"] = -pair_weight
    weights: list[Weights] = [
        {"SPY": 0.0},
        {"SPY": exposure_normal},
        {"SPY": exposure_reduced},
        {"SPY": exposure_hedged},
        {"SPY": exposure_hedged} | pair,
        {"SPY": exposure_accumulate * (1 - btc_share), "BTC-USD": exposure_accumulate * btc_share},
    ]
    decide = decisions(
        score,
        pair_entry,
        pair_exit,
        reduce_score=reduce_score,
        hedge_score=hedge_score,
        accumulate_score=accumulate_score,
        accumulate_sessions=accumulate_sessions,
        reduced_stop=reduced_stop,
        stop_loss=stop_loss,
        rearm=rearm,
        pair_needs_entry=pair_needs_entry,
    )
    postures = carry_out(decide, closes, weights, rebalance=rebalance)
    return postures, evaluate(closes, weights, postures, rebalance=rebalance, cost=cost)
