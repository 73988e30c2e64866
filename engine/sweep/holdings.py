"""What one holding earns, from the close of its fill to the close of its exit, and a memory of holdings.

A holding is a run of one posture. All that it takes from the sessions before is the share of equity that the orders of
its fill have left: holdings are targets over that share. So a holding is the same wherever weights, fill, exit, what
follows and that share are the same, and few holdings of a sweep are new: what one earned is remembered and joined to
each path that holds it. Remembering changes the time taken and no result: what is remembered is what would be computed.

Of a position that is rebalanced daily only the first closes are followed leg by leg; see `engine.sweep.settled`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, inner_in_place
from engine.sweep.plan import Market
from engine.sweep.rules import leg_returns
from engine.sweep.settled import GROSS, KEPT, NET, SPAN, TRADED, Settled, span_sums, stored_sums, tabulate_settled
from engine.sweep.tally import FIELDS, NO_RETURNS, add_return, join, write_tally
from kernels.prefetch import aligned_zeros, prefetch

__all__ = [
    "KEPT_AFTER",
    "LOWEST",
    "NOTHING",
    "NOTIONAL",
    "OPEN",
    "Books",
    "Memory",
    "entry_kept",
    "fetch",
    "new_memory",
    "open_books",
    "place_in_memory",
    "recall",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NOTHING = 0
"""The target without any position."""

OPEN = -1
"""In the place of what follows: the sample ends before the holding does."""

NET_TALLY, GROSS_TALLY = 0, FIELDS
NOTIONAL, KEPT_AFTER, LOWEST, HELD, FOLLOWING, FILLED, LEFT, KEPT_BEFORE = range(2 * FIELDS, 2 * FIELDS + 8)
RECORD = 24
"""Numbers in a record: the net and the gross tally, then the above; three lines of a processor's cache."""

MOST_PLACES, PLACES_A_COMBINATION = 1 << 16, 16
"""Holdings remembered, at most, and for each combination of a small block."""


class Books(NamedTuple):
    """What holdings are valued with.

    Attributes
    ----------
    prices, returns
        Closes and simple returns of the legs, float64 (sessions, legs).
    cost_rate
        Cost of a unit of notional.
    targets
        Distinct sets of weights, float64 (targets, legs); the first is `NOTHING`.
    target_of
        int64 (rows of weights, postures): number of the target.
    settled
        What each target earns when it has been held for long.
    """

    prices: Floats
    returns: Floats
    cost_rate: float
    targets: Floats
    target_of: Integers
    settled: Settled


class Memory(NamedTuple):
    """Holdings remembered, each in the place that follows from what it is; a later one takes the place of an earlier.

    Attributes
    ----------
    records
        Float64 (places, RECORD): net tally, gross tally; traded notional in units of equity; share left by the orders
        of the exit; least return since the fill, gross of costs, over the closes from the fill to the one before the
        exit (only where they are not added up in spans); then what the holding is: target and rebalancing, target that
        follows, closes of fill and exit, share of equity left by the orders of the fill.
    computed
        int64 (1,): holdings computed so far.
    """

    records: Floats
    computed: Integers


def new_memory(combinations: int) -> Memory:
    """Return a memory of nothing for a block of so many combinations; for none, of the one place that is written to."""
    places = 1 << (max(1, PLACES_A_COMBINATION * combinations) - 1).bit_length()
    return Memory(aligned_zeros(min(MOST_PLACES, places), RECORD), np.zeros(1, np.int64))


def open_books(market: Market) -> Books:
    """Tabulate what is the same for every combination of a grid."""
    rows, postures, legs = market.weights.shape
    weights = np.concatenate([np.zeros((1, legs)), market.weights.reshape(-1, legs) + 0.0])  # no zero with a sign
    targets, numbers = np.unique(weights, axis=0, return_inverse=True)
    order = np.argsort(np.arange(len(targets)) != numbers[0], kind="stable")
    targets, numbers = targets[order], np.argsort(order)[numbers]
    returns = leg_returns(market.prices)
    return Books(
        market.prices,
        returns,
        market.cost_rate,
        targets,
        np.ascontiguousarray(numbers[1:].reshape(rows, postures)),
        tabulate_settled(market, targets, returns),
    )


@inlined_in_place
def entry_kept(books: Books, target: int) -> tuple[float, float]:
    """Share of equity that a fill from nothing leaves, and the notional that it trades over the equity before it."""
    notional = 0.0
    for leg in range(books.targets.shape[1]):
        notional += abs(books.targets[target, leg])
    return 1.0 - books.cost_rate * notional, notional


@inlined_in_place
def place_in_memory(memory: Memory, daily: bool, held: int, following: int, filled: int, left: int, before: int) -> int:
    """Return the place of a holding's record.

    Parameters
    ----------
    daily
        Rebalanced at every close.
    held, following
        Numbers of the target, and of the one that the exit trades to, or `OPEN`.
    filled, left
        Closes of fill and exit; the exit of a holding that is open at the end is the number of sessions.
    before
        Any number that mostly tells different shares of equity apart: the place follows from it and not from the share,
        which is known only when the holding before has been found.
    """
    what = 2 * held + np.int64(daily)
    mixed = (what << 20 ^ filled) * 0x9E3779B97F4A7C1 + (following << 20 ^ left) * 0xC2B2AE3D27D4EB5
    mixed = (mixed ^ before * 0x165667B19E3779F) * 0x27D4EB2F165667C5
    return (mixed >> 40) & (memory.records.shape[0] - 1)  # type: ignore[no-any-return]


@inlined_in_place
def fetch(memory: Memory, place: int) -> None:
    """Have a record on its way from the main memory while other work is done."""
    for line in range(0, RECORD, 8):
        prefetch(memory.records, place * RECORD + line)


@inlined_in_place
def recall(
    memory: Memory,
    remembers: bool,
    in_spans: bool,
    books: Books,
    place: int,
    daily: bool,
    held: int,
    following: int,
    filled: int,
    left: int,
    kept: float,
    holdings: Floats,
) -> None:
    """Have the record of a holding at its place, computing it where it is not remembered.

    Parameters
    ----------
    remembers
        Whether what is there may be used.
    in_spans
        Whether the rule looks at no return of its holdings, so that their closes may be added up in spans.
    place, daily, held, following, filled, left
        See `place_in_memory`.
    kept
        Share of equity left by the orders of the fill.
    holdings
        Scratch, float64 (legs,).
    """
    records = memory.records
    what = 2 * held + np.int64(daily)
    known = (
        records[place, KEPT_BEFORE] == kept
        and records[place, HELD] == what
        and records[place, FOLLOWING] == following
        and records[place, FILLED] == filled
        and records[place, LEFT] == left
    )
    if not (known and remembers):
        records[place, HELD] = what
        records[place, FOLLOWING] = following
        records[place, FILLED] = filled
        records[place, LEFT] = left
        records[place, KEPT_BEFORE] = kept
        _measure(remembers, in_spans, books, daily, held, following, filled, left, kept, holdings, records, place)
        memory.computed[0] += 1


@inner_in_place
def _measure(
    remembers: bool,
    in_spans: bool,
    books: Books,
    daily: bool,
    held: int,
    following: int,
    filled: int,
    left: int,
    kept: float,
    holdings: Floats,
    records: Floats,
    place: int,
) -> None:
    """Fill the figures of one holding, from the close after its fill to its exit."""
    net, gross = NO_RETURNS, NO_RETURNS
    notional, held_return, lowest = 0.0, 0.0, 0.0
    sessions = books.prices.shape[0]
    closes, spans = books.settled.closes, books.settled.spans
    settled = filled + books.settled.after if daily else sessions
    _hold_targets(books, held, kept, holdings)
    t = filled + 1
    while t <= min(left, sessions - 1):
        if in_spans and t >= settled and t % SPAN == 0 and t + SPAN <= min(left, sessions):
            added = stored_sums(spans, held, t) if remembers else span_sums(closes, held, t)
            net, gross = join(net, added[0]), join(gross, added[1])
            notional += added[2]
            t += SPAN
            continue
        leaves = t == left
        earned_since = return_since_fill(books, held, daily, t, filled, held_return)
        earned_gross = closes[held, t, GROSS] if daily else (1.0 + earned_since) / (1.0 + held_return) - 1.0
        held_return = earned_since
        if t >= settled and not leaves:
            earned, traded = closes[held, t, NET], closes[held, t, TRADED]
        else:
            if t > settled:
                _hold_targets(books, held, closes[held, t - 1, KEPT], holdings)
            wanted = following if leaves else held
            earned, traded, kept = _trade(books, wanted, leaves or daily, t, holdings)
        net, gross = add_return(net, earned), add_return(gross, earned_gross)
        notional += traded
        if not leaves:
            lowest = min(lowest, held_return)
        t += 1
    write_tally(records[place], NET_TALLY, net)
    write_tally(records[place], GROSS_TALLY, gross)
    records[place, NOTIONAL] = notional
    records[place, KEPT_AFTER] = kept
    records[place, LOWEST] = lowest


@inlined_in_place
def _hold_targets(books: Books, target: int, kept: float, holdings: Floats) -> None:
    """Fill the holdings after the orders of a close, as fractions of the equity after their cost."""
    for leg in range(holdings.size):
        holdings[leg] = books.targets[target, leg] / kept


@inlined_in_place
def return_since_fill(books: Books, target: int, daily: bool, t: int, filled: int, before: float) -> float:
    """Return what a holding has earned by close t since its fill, before costs; ``before``: by the close before."""
    if daily:
        return (1.0 + before) * (1.0 + books.settled.closes[target, t, GROSS]) - 1.0  # type: ignore[no-any-return]
    earned = 0.0
    for leg in range(books.targets.shape[1]):
        earned += books.targets[target, leg] * (books.prices[t, leg] / books.prices[filled, leg] - 1.0)
    return earned


@inlined_in_place
def _trade(books: Books, wanted: int, trades: bool, t: int, holdings: Floats) -> tuple[float, float, float]:
    """Value the holdings at close t and trade to the target.

    Returns the net return of session t, the traded notional over the equity before the orders and the share of it that
    they leave; makes the holdings fractions of the equity after their cost.
    """
    before = 1.0
    for leg in range(holdings.size):
        change = holdings[leg] * books.returns[t, leg]
        holdings[leg] += change
        before += change
    if not trades:
        for leg in range(holdings.size):
            holdings[leg] /= before
        return before - 1.0, 0.0, 1.0
    notional = 0.0
    for leg in range(holdings.size):
        notional += abs(books.targets[wanted, leg] * before - holdings[leg])
    after = before - books.cost_rate * notional
    kept = after / before
    _hold_targets(books, wanted, kept, holdings)
    return after - 1.0, notional / before, kept
