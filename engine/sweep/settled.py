"""What targets earn at each close once they have been held for long, rebalanced daily: the same for every holding.

While a position is rebalanced daily, the cost of one close depends on the closes before it only through the cost of
the last one, and by a small part of that. Some closes after its fill, all holdings of the same weights therefore earn
the same, but for less than the rounding of a single return; from there on that is what they are taken to earn. These
returns are tabulated once for each set of weights, close by close and, for rules that look at no return on the way,
added up over spans of closes.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, jit_in_place
from engine.sweep.plan import Market
from engine.sweep.tally import FIELDS, NO_RETURNS, Tally, add_return, read_tally, write_tally

__all__ = ["GROSS", "KEPT", "NET", "SPAN", "TRADED", "Settled", "span_sums", "stored_sums", "tabulate_settled"]

Floats = NDArray[np.float64]

NET, GROSS, TRADED, KEPT = range(4)

SPAN = 8
"""Closes in a span; spans begin at multiples of it."""

FORGOTTEN = 1e-16
"""Influence of the cost of a fill on a later return that is less than its rounding."""


class Settled(NamedTuple):
    """Tables of what each target earns when it has been held for long.

    Attributes
    ----------
    closes
        Float64 (targets, sessions, 4): net return, gross return, traded notional over the equity before the orders, and
        the share of that equity that is left after their cost.
    spans
        Float64 (targets, whole spans, 2 * FIELDS + 1): net tally, gross tally and traded notional of each span.
    after
        Closes after a fill from which on the tables hold.
    """

    closes: Floats
    spans: Floats
    after: int


def tabulate_settled(market: Market, targets: Floats, returns: Floats) -> Settled:
    """Fill the tables for distinct sets of weights.

    Parameters
    ----------
    targets
        Float64 (targets, legs).
    returns
        Simple returns of the legs, float64 (sessions, legs).
    """
    sessions = len(returns)
    closes = np.zeros((len(targets), sessions, 4))
    spans = np.zeros((len(targets), sessions // SPAN, 2 * FIELDS + 1))
    _fill_closes(targets, returns, market.cost_rate, closes)
    _fill_spans(closes, spans)
    return Settled(closes, spans, _settled_after(market.cost_rate, targets, returns))


def _settled_after(cost_rate: float, targets: Floats, returns: Floats) -> int:
    """Closes after a fill until its cost is forgotten.

    A close leaves the share k' = 1 - c sum |w (k + g) - w (1 + r)| / (k + g) of the equity before its orders, if the
    close before left k and the legs earned r, together g. What this leaves of a difference in k is
    c sum |w| (1 + r) / (k + g)^2. The fill's own cost is a difference of about that size, and each close after it makes
    it that much smaller.
    """
    size = np.abs(targets)
    least_kept = 1.0 - 2.0 * cost_rate * float(size.sum(axis=1).max())
    equity = least_kept + returns @ targets.T
    if equity.min() <= 0.0:
        return len(returns)
    influence = cost_rate * float(((1.0 + returns) @ size.T / equity**2).max())
    if influence >= 1.0:
        return len(returns)
    return 1 if influence <= FORGOTTEN else math.ceil(math.log(FORGOTTEN) / math.log(influence))


@jit_in_place
def _fill_closes(targets: Floats, returns: Floats, cost_rate: float, table: Floats) -> None:
    sessions, legs = returns.shape
    for row in range(targets.shape[0]):
        target = targets[row]
        kept = 1.0
        for t in range(sessions):
            gross = 0.0
            for leg in range(legs):
                gross += target[leg] * returns[t, leg]
            before = 1.0 + gross / kept
            traded = 0.0
            for leg in range(legs):
                traded += abs(target[leg] * before - target[leg] / kept * (1.0 + returns[t, leg]))
            after = before - cost_rate * traded
            table[row, t, NET] = after - 1.0
            table[row, t, GROSS] = gross
            table[row, t, TRADED] = traded / before
            kept = after / before
            table[row, t, KEPT] = kept


@jit_in_place
def _fill_spans(closes: Floats, spans: Floats) -> None:
    for row in range(spans.shape[0]):
        for span in range(spans.shape[1]):
            net, gross, traded = span_sums(closes, row, span * SPAN)
            write_tally(spans[row, span], 0, net)
            write_tally(spans[row, span], FIELDS, gross)
            spans[row, span, 2 * FIELDS] = traded


@inlined_in_place
def span_sums(closes: Floats, target: int, first: int) -> tuple[Tally, Tally, float]:
    """Add up the net and gross returns and the traded notional of the span that begins at a close."""
    net, gross, traded = NO_RETURNS, NO_RETURNS, 0.0
    for t in range(first, first + SPAN):
        net = add_return(net, closes[target, t, NET])
        gross = add_return(gross, closes[target, t, GROSS])
        traded += closes[target, t, TRADED]
    return net, gross, traded


@inlined_in_place
def stored_sums(spans: Floats, target: int, first: int) -> tuple[Tally, Tally, float]:
    """Return what `span_sums` does, from the table."""
    row = spans[target, first // SPAN]
    return read_tally(row, 0), read_tally(row, FIELDS), row[2 * FIELDS]
