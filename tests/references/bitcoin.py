"""Bitcoin beside equity, as a hedge and as a recovery trade, in plain loops: what the engine is compared with.

As a hedge it is held while the market is under stress; as a recovery trade it is bought when capitulation has been
reached, at once or once the stress is over and monetary policy eases.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from tests.references.accounting import Decide, Weights, carry_out, evaluate
from tests.references.capitulation import components, weighted_score
from tests.references.pair import Closes, Metrics, drawdown_from_high
from tests.references.vix_regime import trending

NORMAL, WITH_BITCOIN = 1, 2


def bitcoin_weights(*, exposure_normal: float, exposure_with_btc: float, btc_share: float) -> list[Weights]:
    """Fractions of equity in each posture."""
    return [
        {"SPY": 0.0},
        {"SPY": exposure_normal},
        {"SPY": exposure_with_btc * (1 - btc_share), "BTC-USD": exposure_with_btc * btc_share},
    ]


def stress(
    closes: Mapping[str, Closes],
    *,
    vix_jump: float,
    vix_fast: int,
    vix_slow: int,
    vix_slope_lookback: int,
    flat_average_rises: bool,
    hyg_window: int,
    hyg_drawdown: float,
    on_vix_jump: bool,
    on_vix_trend: bool,
    on_credit_stress: bool,
) -> list[bool]:
    """Whether one of the chosen marks of stress is seen at each close."""
    vix = closes["VIX"]
    trend = trending(vix, vix_fast, vix_slow, vix_slope_lookback, flat_average_rises)
    drawdown = drawdown_from_high(closes["HYG"], hyg_window)
    answers = []
    for t in range(len(vix)):
        hyg = drawdown[t]
        jumped = t > 0 and vix[t] / vix[t - 1] - 1 > vix_jump
        credit = hyg is not None and hyg < hyg_drawdown
        answers.append((on_vix_jump and jumped) or (on_vix_trend and trend[t]) or (on_credit_stress and credit))
    return answers


def hedge_decisions(stressed: Sequence[bool], hold_sessions: int) -> Decide:
    """Hold bitcoin for some sessions after each close under stress."""
    last = -1

    def decide(t: int, held_return: float) -> int:  # noqa: ARG001 - the rule has no stop
        nonlocal last
        if stressed[t]:
            last = t + hold_sessions - 1
        return WITH_BITCOIN if t <= last else NORMAL

    return decide


def bitcoin_hedge(
    closes: Mapping[str, Closes],
    *,
    vix_jump: float = 0.15,
    vix_fast: int = 20,
    vix_slow: int = 50,
    vix_slope_lookback: int = 5,
    flat_average_rises: bool = True,
    hyg_window: int = 60,
    hyg_drawdown: float = -0.03,
    on_vix_jump: bool = False,
    on_vix_trend: bool = False,
    on_credit_stress: bool = True,
    hold_sessions: int = 1,
    exposure_normal: float = 1.0,
    exposure_with_btc: float = 1.0,
    btc_share: float = 0.25,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], Metrics]:
    """Run the hedge once on closes of SPY, BTC-USD, VIX and HYG; return postures held and metrics."""
    weights = bitcoin_weights(exposure_normal=exposure_normal, exposure_with_btc=exposure_with_btc, btc_share=btc_share)
    stressed = stress(
        closes,
        vix_jump=vix_jump,
        vix_fast=vix_fast,
        vix_slow=vix_slow,
        vix_slope_lookback=vix_slope_lookback,
        flat_average_rises=flat_average_rises,
        hyg_window=hyg_window,
        hyg_drawdown=hyg_drawdown,
        on_vix_jump=on_vix_jump,
        on_vix_trend=on_vix_trend,
        on_credit_stress=on_credit_stress,
    )
    traded = {leg: closes[leg] for leg in ("SPY", "BTC-USD")}
    postures = carry_out(hedge_decisions(stressed, hold_sessions), traded, weights, rebalance=rebalance)
    return postures, evaluate(traded, weights, postures, rebalance=rebalance, cost=cost)


def recovery_decisions(
    score: Sequence[float],
    eases: Sequence[bool],
    *,
    entry_score: float,
    wait_for_resolution: bool,
    resolved_score: float,
    wait_for_easing: bool,
    hold_sessions: int,
) -> Decide:
    """Buy once capitulation has been seen and what is waited for has come; hold for some sessions."""
    capitulated, last = False, -1

    def decide(t: int, held_return: float) -> int:  # noqa: ARG001 - the rule has no stop
        nonlocal capitulated, last
        capitulated = capitulated or score[t] >= entry_score
        resolved = score[t] <= resolved_score or not wait_for_resolution
        if capitulated and resolved and (eases[t] or not wait_for_easing):
            capitulated = False
            last = t + hold_sessions - 1
        return WITH_BITCOIN if t <= last else NORMAL

    return decide


def bitcoin_recovery(
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
    entry_score: float = 4.0,
    wait_for_resolution: bool = False,
    resolved_score: float = 1.0,
    wait_for_easing: bool = False,
    easing_lookback: int = 63,
    easing_change: float = -0.25,
    hold_sessions: int = 63,
    exposure_normal: float = 1.0,
    exposure_with_btc: float = 1.0,
    btc_share: float = 0.25,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], Metrics]:
    """Run the recovery trade once; return postures held and metrics.

    Parameters
    ----------
    closes : mapping of str to tuple of float
        Closes of SPY, BTC-USD, VIX, HYG and XLF, and the bill rate DTB3 in percent, `nan` where none is known.
    """
    weights = bitcoin_weights(exposure_normal=exposure_normal, exposure_with_btc=exposure_with_btc, btc_share=btc_share)
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
    bill = closes["DTB3"]
    eases = [t >= easing_lookback and bill[t] - bill[t - easing_lookback] <= easing_change for t in range(len(bill))]
    decide = recovery_decisions(
        score,
        eases,
        entry_score=entry_score,
        wait_for_resolution=wait_for_resolution,
        resolved_score=resolved_score,
        wait_for_easing=wait_for_easing,
        hold_sessions=hold_sessions,
    )
    traded = {leg: closes[leg] for leg in ("SPY", "BTC-USD")}
    postures = carry_out(decide, traded, weights, rebalance=rebalance)
    return postures, evaluate(traded, weights, postures, rebalance=rebalance, cost=cost)
