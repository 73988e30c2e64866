"""From the orders that vectorbt filled to the returns of each account: its cash and holdings at every close."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit

__all__ = ["returns_from_orders"]

BUY = 0


def returns_from_orders(
    records: NDArray[Any], prices: NDArray[np.float64], accounts: int, *, cash: float
) -> NDArray[np.float64]:
    """Simple returns of accounts, net of the orders' fees.

    Parameters
    ----------
    records
        vectorbt's order records, in the order of accounts and then of time; column ``account * legs + leg``.
    prices
        Closes at which holdings are valued, float64 (sessions, legs).
    accounts
        Number of accounts.
    cash
        What each account starts with.

    Returns
    -------
    Float64 (sessions, accounts).
    """
    returns = np.zeros((len(prices), accounts))
    fields = {name: np.ascontiguousarray(records[name]) for name in ("col", "idx", "size", "price", "fees", "side")}
    _add_up(
        fields["col"],
        fields["idx"],
        fields["size"],
        fields["price"],
        fields["fees"],
        fields["side"],
        prices,
        cash,
        returns,
    )
    return returns


@jit
def _add_up(
    columns: NDArray[np.int64],
    sessions: NDArray[np.int64],
    sizes: NDArray[np.float64],
    order_prices: NDArray[np.float64],
    fees: NDArray[np.float64],
    sides: NDArray[np.int64],
    prices: NDArray[np.float64],
    initial_cash: float,
    returns: NDArray[np.float64],
) -> None:
    legs = prices.shape[1]
    held = np.zeros(legs)
    order = 0
    for account in range(returns.shape[1]):
        cash = initial_cash
        equity = initial_cash
        invested = False
        held[:] = 0.0
        for t in range(returns.shape[0]):
            traded = order < columns.size and columns[order] // legs == account and sessions[order] == t
            if not traded and not invested:
                continue
            while order < columns.size and columns[order] // legs == account and sessions[order] == t:
                bought = sizes[order] if sides[order] == BUY else -sizes[order]
                cash -= bought * order_prices[order] + fees[order]
                held[columns[order] % legs] += bought
                order += 1
            value = cash
            invested = False
            for leg in range(legs):
                value += held[leg] * prices[t, leg]
                invested |= held[leg] != 0.0
            returns[t, account] = value / equity - 1.0
            equity = value
