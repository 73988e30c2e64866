"""What a posture path and its equity say about trading: gross returns, trades, hit rate, exposure, turnover."""

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit

__all__ = ["gross_returns", "order_turnover", "trade_statistics"]

Floats = NDArray[np.float64]


def gross_returns(
    prices: Floats, weights: Floats, weight_rows: NDArray[np.int64], daily: NDArray[np.bool_], paths: NDArray[np.int8]
) -> Floats:
    """Simple returns before costs.

    Parameters
    ----------
    prices
        Float64 (sessions, legs).
    weights, weight_rows
        Target weights (rows, postures, legs) and the row of each path.
    daily
        Whether each path is rebalanced at every close; otherwise holdings stay as filled.
    paths
        Posture held after each close, int8 (paths, sessions).

    Returns
    -------
    Float64 (sessions, paths): the return of session t is earned by the posture held after close t-1.
    """
    out = np.zeros((paths.shape[1], paths.shape[0]))
    _gross_returns(prices, weights, weight_rows, daily, paths, out)
    return out


@jit
def _gross_returns(
    prices: Floats,
    weights: Floats,
    weight_rows: NDArray[np.int64],
    daily: NDArray[np.bool_],
    paths: NDArray[np.int8],
    out: Floats,
) -> None:
    sessions, legs = prices.shape
    for i in range(paths.shape[0]):
        target = weights[weight_rows[i]]
        filled = 0
        growth = 1.0
        for t in range(1, sessions):
            posture = paths[i, t - 1]
            if posture == 0:
                continue
            if t == 1 or paths[i, t - 2] != posture:
                filled = t - 1
                growth = 1.0
            gain = 0.0
            if daily[i]:
                for leg in range(legs):
                    gain += target[posture, leg] * (prices[t, leg] / prices[t - 1, leg] - 1.0)
                out[t, i] = gain
            else:
                for leg in range(legs):
                    gain += target[posture, leg] * (prices[t, leg] / prices[filled, leg] - 1.0)
                out[t, i] = (1.0 + gain) / growth - 1.0
                growth = 1.0 + gain


@jit
def trade_statistics(paths: NDArray[np.int8], returns: Floats, trades: Floats, hits: Floats, exposure: Floats) -> None:
    """Count trades and those that earned something, and the share of sessions that end with a position.

    A trade is one holding of the whole position: it begins before its fill, so that it bears the fill's cost, and
    ends after its exit, or at the last close. Where one posture follows another without a pause, the switch belongs
    to the first.

    Parameters
    ----------
    paths
        Posture held after each close, int8 (paths, sessions).
    returns
        Float64 (sessions, paths).
    trades, hits, exposure
        Results, float64 (paths,): number of trades, number with a positive return, share of sessions.
    """
    for i in range(paths.shape[0]):
        held = 0
        count = 0
        won = 0
        sessions_held = 0
        growth = 1.0
        for t in range(paths.shape[1]):
            posture = paths[i, t]
            if held != 0:
                growth *= 1.0 + returns[t, i]
            elif posture != 0:
                growth = 1.0 + returns[t, i]
            if posture != held:
                if held != 0:
                    won += growth > 1.0
                    growth = 1.0
                if posture != 0:
                    count += 1
                held = posture
            sessions_held += posture != 0
        if held != 0:
            won += growth > 1.0
        trades[i] = count
        hits[i] = won
        exposure[i] = sessions_held / paths.shape[1]


@jit
def order_turnover(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    notional: Floats,
    fees: Floats,
    equity: Floats,
    legs: int,
    turnover: Floats,
) -> None:
    """Sum traded notional over the equity just before each close's orders.

    Parameters
    ----------
    columns, rows
        Column (path * legs + leg) and session of each order.
    notional, fees
        Of each order, in money.
    equity
        After each close's orders, float64 (sessions, paths).
    legs
        Number of legs in a path.
    turnover
        Result, float64 (paths,).
    """
    sessions, paths = equity.shape
    traded = np.zeros((paths, sessions))
    paid = np.zeros((paths, sessions))
    for k in range(columns.size):
        path = columns[k] // legs
        traded[path, rows[k]] += notional[k]
        paid[path, rows[k]] += fees[k]
    for i in range(paths):
        total = 0.0
        for t in range(sessions):
            if traded[i, t] != 0.0:
                total += traded[i, t] / (equity[t, i] + paid[i, t])
        turnover[i] = total
