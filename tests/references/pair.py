"""The sector pair read from its description, in plain loops: what the engine is compared with.

Long a basket of XLE, XLB and XLU, short IGV, while credit is under slow stress. Nothing here is fast, shared with the
engine, or vectorised; each line follows a sentence of the rules. All prices are total-return closes of one sample, and
an indicator is `None` until its window is full.
"""

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

SESSIONS_A_YEAR = 252
BASKET = ("XLE", "XLB", "XLU")
LEGS = (*BASKET, "IGV")

Closes = tuple[float, ...]
Metrics = dict[str, float | int | None]


class Outcome(NamedTuple):
    """One run of the strategy.

    Attributes
    ----------
    positions
        1 where the pair is held after a close, 0 where nothing is.
    metrics
        Net of costs, and before costs under `gross_`.
    events
        Decisions by kind: exits by `stop`, `reclaim` and `calm`, and entries put off (`wait`) for want of re-arming.
    """

    positions: list[int]
    metrics: Metrics
    events: Counter[str]


@functools.lru_cache(maxsize=512)
def moving_average(closes: Closes, length: int) -> list[float | None]:
    """Mean of the last `length` closes."""
    averages: list[float | None] = []
    for t in range(len(closes)):
        if t + 1 < length:
            averages.append(None)
        else:
            averages.append(math.fsum(closes[t + 1 - length : t + 1]) / length)
    return averages


@functools.lru_cache(maxsize=512)
def average_falls(closes: Closes, length: int, lookback: int) -> list[bool]:
    """Whether the moving average lies below its own value of `lookback` sessions ago."""
    averages = moving_average(closes, length)
    falls = []
    for t in range(len(closes)):
        now = averages[t]
        before = averages[t - lookback] if t >= lookback else None
        falls.append(now is not None and before is not None and now / before - 1 < 0)
    return falls


@functools.lru_cache(maxsize=512)
def drawdown_from_high(closes: Closes, window: int) -> list[float | None]:
    """The close against the highest of the last `window` closes, itself included; 0 or negative."""
    drawdowns: list[float | None] = []
    for t in range(len(closes)):
        if t + 1 < window:
            drawdowns.append(None)
        else:
            drawdowns.append(closes[t] / max(closes[t + 1 - window : t + 1]) - 1)
    return drawdowns


@functools.lru_cache(maxsize=512)
def reclaimed(closes: Closes, length: int, sessions: int) -> list[bool]:
    """Whether each of the last `sessions` closes lay above the moving average of its day."""
    averages = moving_average(closes, length)
    in_a_row = 0
    answers = []
    for t in range(len(closes)):
        average = averages[t]
        in_a_row = in_a_row + 1 if average is not None and closes[t] > average else 0
        answers.append(in_a_row >= sessions)
    return answers


def entry_conditions(
    closes: Mapping[str, Closes],
    *,
    xlf_dma: int,
    hyg_drawdown: float,
    slope_lookback: int,
    hyg_window: int,
    vix_fast: int,
    vix_slow: int,
    hyg_reading: Literal["deeper", "shallower"],
) -> list[bool]:
    """Whether all four conditions of an entry hold at each close."""
    average = moving_average(closes["XLF"], xlf_dma)
    falls = average_falls(closes["XLF"], xlf_dma, slope_lookback)
    drawdown = drawdown_from_high(closes["HYG"], hyg_window)
    fast = moving_average(closes["VIX"], vix_fast)
    slow = moving_average(closes["VIX"], vix_slow)
    answers = []
    for t in range(len(closes["XLF"])):
        xlf_average, hyg, vix_near, vix_far = average[t], drawdown[t], fast[t], slow[t]
        if xlf_average is None or hyg is None or vix_near is None or vix_far is None:
            answers.append(False)
            continue
        below = closes["XLF"][t] < xlf_average
        credit = hyg < hyg_drawdown if hyg_reading == "deeper" else hyg > hyg_drawdown
        answers.append(below and falls[t] and credit and vix_near > vix_far)
    return answers


def vix_calms(closes: Mapping[str, Closes], *, vix_fast: int, vix_slow: int) -> list[bool]:
    """Whether the fast average of VIX lies below the slow one at each close."""
    pairs = zip(moving_average(closes["VIX"], vix_fast), moving_average(closes["VIX"], vix_slow), strict=True)
    return [near is not None and far is not None and near < far for near, far in pairs]


def pair_return(closes: Mapping[str, Closes], weights: Mapping[str, float], start: int, end: int) -> float:
    """Sum of weight times price change of each leg from close `start` to close `end`."""
    return sum(weights[leg] * (closes[leg][end] / closes[leg][start] - 1) for leg in LEGS)


def exit_reason(held_return: float, stop_loss: float, *, reclaim: bool, calm: bool) -> str:
    """Why to leave: the stop goes before the others, because only after it must the entry re-arm."""
    if held_return <= stop_loss:
        return "stop"
    if reclaim:
        return "reclaim"
    return "calm" if calm else ""


def positions_held(
    closes: Mapping[str, Closes],
    weights: Mapping[str, float],
    entry: Sequence[bool],
    reclaim: Sequence[bool],
    calm: Sequence[bool],
    *,
    stop_loss: float,
    rearm: bool,
    rebalance: Literal["daily", "entry"],
) -> tuple[list[int], Counter[str]]:
    """Position (0 or 1) after each close, and how often each kind of exit and each wait for re-arming was decided.

    What close t decides, close t + 1 fills.
    """
    holding, armed, order = False, True, "none"
    filled_at, growth = 0, 1.0
    positions: list[int] = []
    events: Counter[str] = Counter()
    for t in range(len(entry)):
        if order == "enter":
            holding, filled_at, growth = True, t, 1.0
        elif order == "exit":
            holding = False
        elif holding:
            rebalanced = growth * (1 + pair_return(closes, weights, t - 1, t))
            untouched = 1 + pair_return(closes, weights, filled_at, t)
            growth = rebalanced if rebalance == "daily" else untouched
        positions.append(1 if holding else 0)

        order = "none"
        if holding:
            reason = exit_reason(growth - 1, stop_loss, reclaim=reclaim[t], calm=calm[t])
            if reason:
                order = "exit"
                events[reason] += 1
            armed = not (reason == "stop" and rearm)
        elif not entry[t]:
            armed = True
        elif not armed:
            events["wait"] += 1
        elif not (reclaim[t] or calm[t]):
            order = "enter"
    return positions, events


def equity_of(
    closes: Mapping[str, Closes],
    weights: Mapping[str, float],
    positions: Sequence[int],
    *,
    rebalance: Literal["daily", "entry"],
    cost: float,
) -> tuple[list[float], list[float], list[float]]:
    """Keep the account: equity after each close, notional traded over equity before it, and each trade's return.

    Orders of a close are sized on the equity before them. At the close's own prices they change it by nothing but
    costs, which leave the cash.
    """
    cash = 1.0
    shares = dict.fromkeys(LEGS, 0.0)
    equity, traded, trade_returns = [], [], []
    before_trade = 1.0
    for t in range(len(positions)):
        value = cash + sum(shares[leg] * closes[leg][t] for leg in LEGS)
        held_before = t > 0 and positions[t - 1] == 1
        held_after = positions[t] == 1
        if held_after and not held_before:
            before_trade = value

        notional, invested = 0.0, 0.0
        if held_before != held_after or (held_after and rebalance == "daily"):
            for leg in LEGS:
                target = weights[leg] * value if held_after else 0.0
                notional += abs(target - shares[leg] * closes[leg][t])
                invested += target
                shares[leg] = target / closes[leg][t]
            cash = value - invested - cost * notional
        equity.append(value - cost * notional)
        traded.append(notional / value)

        last = t + 1 == len(positions)
        if (held_before and not held_after) or (held_after and last):
            trade_returns.append(equity[t] / before_trade - 1)
    return equity, traded, trade_returns


def performance(equity: Sequence[float], trade_returns: Sequence[float]) -> Metrics:
    """What the equity curve earned and risked; a ratio without a trade, or over 1e-12 or less, is `None`."""
    count = len(equity)
    returns = [0.0] + [equity[t] / equity[t - 1] - 1 for t in range(1, count)]
    mean = math.fsum(returns) / count
    deviation = math.sqrt(math.fsum((r - mean) ** 2 for r in returns) / (count - 1))
    downside = math.sqrt(SESSIONS_A_YEAR * math.fsum(min(r, 0.0) ** 2 for r in returns) / count)
    highest, deepest = equity[0], 0.0
    for value in equity:
        highest = max(highest, value)
        deepest = min(deepest, value / highest - 1)
    cagr = equity[-1] ** (SESSIONS_A_YEAR / count) - 1
    volatility = deviation * math.sqrt(SESSIONS_A_YEAR)

    def ratio(numerator: float, denominator: float) -> float | None:
        return numerator / denominator if trade_returns and denominator >= 1e-12 else None

    return {
        "total_return": equity[-1] - 1,
        "cagr": cagr,
        "volatility": volatility,
        "sharpe": ratio(mean * math.sqrt(SESSIONS_A_YEAR), deviation),
        "return_to_vol": ratio(cagr, volatility),
        "sortino": ratio(mean * SESSIONS_A_YEAR, downside),
        "calmar": ratio(cagr, -deepest),
        "max_drawdown": deepest,
        "hit_rate": ratio(sum(1 for trade in trade_returns if trade > 0), len(trade_returns)),
    }


def pair(
    closes: Mapping[str, Closes],
    *,
    xlf_dma: int,
    hyg_drawdown: float,
    basket_weights: tuple[float, float, float],
    stop_loss: float,
    slope_lookback: int = 20,
    hyg_window: int = 60,
    vix_fast: int = 20,
    vix_slow: int = 50,
    reclaim_sessions: int = 5,
    hyg_reading: Literal["deeper", "shallower"] = "deeper",
    rearm: bool = True,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> Outcome:
    """Run the strategy once.

    Parameters
    ----------
    closes : mapping of str to tuple of float
        Total-return closes of XLF, HYG, VIX, XLE, XLB, XLU and IGV on the same sessions, the warm-up inside.
    basket_weights : tuple of float
        Shares of XLE, XLB and XLU in the long side; they are scaled to add up to one.
    cost : float
        Fraction of the traded notional of each leg, both ways.
    """
    total = math.fsum(basket_weights)
    weights = {leg: weight / total for leg, weight in zip(BASKET, basket_weights, strict=True)} | {"IGV": -1.0}
    entry = entry_conditions(
        closes,
        xlf_dma=xlf_dma,
        hyg_drawdown=hyg_drawdown,
        slope_lookback=slope_lookback,
        hyg_window=hyg_window,
        vix_fast=vix_fast,
        vix_slow=vix_slow,
        hyg_reading=hyg_reading,
    )
    positions, events = positions_held(
        closes,
        weights,
        entry,
        reclaimed(closes["XLF"], xlf_dma, reclaim_sessions),
        vix_calms(closes, vix_fast=vix_fast, vix_slow=vix_slow),
        stop_loss=stop_loss,
        rearm=rearm,
        rebalance=rebalance,
    )

    equity, traded, trade_returns = equity_of(closes, weights, positions, rebalance=rebalance, cost=cost)
    free_equity, _, free_trade_returns = equity_of(closes, weights, positions, rebalance=rebalance, cost=0.0)
    metrics: Metrics = performance(equity, trade_returns)
    metrics |= {f"gross_{name}": value for name, value in performance(free_equity, free_trade_returns).items()}
    metrics["trades"] = len(trade_returns)
    metrics["exposure"] = sum(positions) / len(positions)
    metrics["turnover"] = math.fsum(traded) * SESSIONS_A_YEAR / len(positions)
    return Outcome(positions, metrics, events)
