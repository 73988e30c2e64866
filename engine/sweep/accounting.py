"""The accounting: from the posture held after each close to the return of each day, net of costs.

Written once, for every strategy. At each close the equity before the orders is what the holdings have become, plus
cash; targets are fractions of that equity; what the orders cost is paid from cash. This is what vectorbt does with
orders of size type "target percent" on one account, and the tests hold both to the same numbers.
"""

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import SESSIONS_A_YEAR
from engine.sweep.plan import Market

__all__ = ["account"]

Floats = NDArray[np.float64]


def account(
    market: Market,
    paths: NDArray[np.int8],
    weight_rows: NDArray[np.int64],
    daily: NDArray[np.bool_],
    *,
    cost_rate: float | None = None,
) -> tuple[Floats, Floats]:
    """Simple returns and turnover of posture paths.

    Parameters
    ----------
    market
        Prices, weights and costs.
    paths
        Posture held after each close, int8 (paths, sessions).
    weight_rows
        Row of each path in ``market.weights``.
    daily
        Whether each path is rebalanced at every close; otherwise only where the posture changes.
    cost_rate
        Cost as a fraction of traded notional, instead of the market's; 0 gives returns before costs.

    Returns
    -------
    returns
        Float64 (sessions, paths). The return of session t is earned by what was held after close t-1, less the cost of
        the orders at close t.
    turnover
        Float64 (paths,): see `engine.metrics`.
    """
    returns = np.empty((paths.shape[1], paths.shape[0]))
    turnover = np.empty(paths.shape[0])
    rate = market.cost_rate if cost_rate is None else cost_rate
    for k in range(paths.shape[0]):
        target = market.weights[weight_rows[k]]
        traded = _follow(market.prices, target, bool(daily[k]), paths[k], rate, returns[:, k])
        turnover[k] = traded * SESSIONS_A_YEAR / paths.shape[1]
    return returns, turnover


@jit
def _follow(
    prices: Floats, target: Floats, daily: bool, path: NDArray[np.int8], cost_rate: float, returns: Floats
) -> float:
    """Fill the returns of one path and return what it trades, in units of the equity before the orders, summed."""
    sessions, legs = prices.shape
    holdings = np.zeros(legs)
    equity = 1.0
    posture = 0
    traded = 0.0
    for t in range(sessions):
        before = equity
        if posture != 0:
            for leg in range(legs):
                gain = holdings[leg] * (prices[t, leg] / prices[t - 1, leg] - 1.0)
                holdings[leg] += gain
                equity += gain
        notional = 0.0
        if path[t] != posture or (posture != 0 and daily):
            posture = path[t]
            for leg in range(legs):
                wanted = target[posture, leg] * equity
                notional += abs(wanted - holdings[leg])
                holdings[leg] = wanted
        traded += notional / equity
        equity -= cost_rate * notional
        returns[t] = equity / before - 1.0
    return traded
