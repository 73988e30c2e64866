"""Evaluate combinations in one pass from conditions to metrics, without an array of days by combinations.

One compiled loop serves every strategy: it runs the rule, fills what was decided at the close before, keeps the books
and adds up the metrics. While a position is rebalanced daily, the cost of one close depends on the closes before it
only through the cost of the last one, and that by less than its thousandth part. A few closes after a switch, every
run of the same posture therefore earns the same, to the last bit. These returns are tabulated once for each set of
weights; only the closes after a switch are followed leg by leg.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import METRICS, SESSIONS_A_YEAR
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep.plan import Market, Plan
from engine.sweep.rules import bind_rule, decide, is_invested, leg_returns
from engine.sweep.tally import NEW_TALLY, Tally, add_return, end_trade, return_metrics
from engine.sweep.waking import next_waking_close

__all__ = ["SettledReturns", "evaluate_combinations", "settled_returns"]

Floats = NDArray[np.float64]

NET, GROSS, TRADED, KEPT = range(4)

FORGOTTEN = 1e-18
"""Influence of an old cost that no longer changes a bit."""


class Counts(NamedTuple):
    """What is counted along a path: trades, sessions that end with a position, traded notional over equity."""

    trades: Any
    sessions_held: Any
    traded: Any


class Legs(NamedTuple):
    """The traded side: closes and simple returns (sessions, legs), and the cost of a unit of notional."""

    prices: Floats
    returns: Floats
    cost_rate: float


@dataclass(frozen=True)
class SettledReturns:
    """What each posture earns at each close when it has been held for long, rebalanced daily.

    Attributes
    ----------
    table
        Float64 (rows of weights, postures, sessions, 4): net return, gross return, traded notional over the equity
        before the orders, and the share of that equity that is left after their cost.
    closes
        Closes after a switch from which on the table holds.
    """

    table: Floats
    closes: int


def settled_returns(market: Market) -> SettledReturns:
    """Tabulate the returns of every posture of every set of weights."""
    rows, postures, _ = market.weights.shape
    table = np.zeros((rows, postures, len(market.dates), 4))
    _fill_settled(market.weights, leg_returns(market.prices), market.cost_rate, table)
    leverage = float(np.abs(market.weights).sum(axis=2).max())
    influence = 2.0 * market.cost_rate * leverage  # twice: a bad day halves the equity that it is measured by
    if influence >= 1.0:
        return SettledReturns(table, len(market.dates))
    return SettledReturns(table, 2 if influence == 0.0 else 2 + math.ceil(math.log(FORGOTTEN) / math.log(influence)))


def evaluate_combinations(
    plan: Plan, combinations: NDArray[np.int64], settled: SettledReturns, waking: NDArray[np.uint64]
) -> pl.DataFrame:
    """Metrics of some combinations, net and gross of costs.

    Parameters
    ----------
    plan
        Tables of the grid.
    combinations
        Numbers of combinations.
    settled
        `settled_returns` of the plan's market.
    waking
        `waking_closes` of the plan, or no words at all to look at every close. It changes the time taken and no result.

    Returns
    -------
    One row a combination, the columns of `engine.metrics`; null where a metric cannot be computed.
    """
    rows = plan.rows(combinations)
    market = plan.market
    rule_type = plan.grid.strategy.rule
    counts = np.empty((len(combinations), len(Counts._fields)))
    net, gross = (np.empty((len(combinations), len(Tally._fields))) for _ in range(2))
    _evaluate(
        rule_type(*(0.0 for _ in rule_type._fields)),
        rows.knobs,
        _four_a_word(plan.codes),
        rows.codes,
        waking,
        Legs(market.prices, leg_returns(market.prices), market.cost_rate),
        market.weights,
        rows.weights,
        rows.daily,
        settled.table,
        settled.closes,
        counts,
        net,
        gross,
    )
    return _metrics(Counts(*counts.T), net, gross, len(market.dates))


def _metrics(counts: Counts, net: Floats, gross: Floats, sessions: int) -> pl.DataFrame:
    columns = {
        **return_metrics(net, counts.trades, sessions),
        "trades": counts.trades,
        "exposure": counts.sessions_held / sessions,
        "turnover": counts.traded * SESSIONS_A_YEAR / sessions,
    }
    before_costs = return_metrics(gross, counts.trades, sessions)
    ordered = {metric.name: columns[metric.name] for metric in METRICS}
    ordered |= {f"gross_{metric.name}": before_costs[metric.name] for metric in METRICS if metric.differs_gross}
    return pl.DataFrame(ordered).fill_nan(None).with_columns(pl.col("trades").cast(pl.Int32))


@jit
def _fill_settled(weights: Floats, returns: Floats, cost_rate: float, table: Floats) -> None:
    sessions, legs = returns.shape
    for row in range(weights.shape[0]):
        for posture in range(weights.shape[1]):
            target = weights[row, posture]
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
                table[row, posture, t, NET] = after - 1.0
                table[row, posture, t, GROSS] = gross
                table[row, posture, t, TRADED] = traded / before
                kept = after / before
                table[row, posture, t, KEPT] = kept


def _four_a_word(codes: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """Codes as words of four, each row filled up with zeros."""
    padded = np.zeros((len(codes), -(-codes.shape[1] // 4) * 4), np.uint16)
    padded[:, : codes.shape[1]] = codes
    return padded.view(np.uint64)


@jit
def _evaluate(
    rule: Any,
    knobs: Floats,
    codes: NDArray[np.uint64],
    code_rows: NDArray[np.int64],
    waking: NDArray[np.uint64],
    legs: Legs,
    weights: Floats,
    weight_rows: NDArray[np.int64],
    daily: NDArray[np.bool_],
    settled: Floats,
    settled_closes: int,
    counts: Floats,
    net: Floats,
    gross: Floats,
) -> None:
    """Fill the counts and tallies of each combination; see `evaluate_combinations`."""
    sessions, width = legs.prices.shape
    joined = np.empty(codes.shape[1], np.uint64)
    holdings = np.empty(width)
    for i in range(counts.shape[0]):
        _unite(codes[code_rows[i, 0]], codes[code_rows[i, -1]], joined)
        for table in range(1, code_rows.shape[1] - 1):
            _unite(joined, codes[code_rows[i, table]], joined)
        row = weight_rows[i]
        closes = settled_closes if daily[i] else sessions
        counted, earned, earned_gross = _walk(
            bind_rule(rule, knobs[i]),
            joined.view(np.uint16)[:sessions],
            code_rows[i],
            waking,
            legs,
            weights[row],
            daily[i],
            settled[row],
            closes,
            holdings,
        )
        for field in range(counts.shape[1]):
            counts[i, field] = counted[field]
        for field in range(net.shape[1]):
            net[i, field] = earned[field]
            gross[i, field] = earned_gross[field]


@jit
def _unite(first: NDArray[np.uint64], second: NDArray[np.uint64], joined: NDArray[np.uint64]) -> None:
    """Join two rows of codes, four codes a word."""
    for word in range(joined.size):
        joined[word] = first[word] | second[word]


@jit
def _walk(  # noqa: C901 - one loop, so that all it carries from close to close stays in registers
    rule: Any,
    codes: NDArray[np.uint16],
    code_rows: NDArray[np.int64],
    waking: NDArray[np.uint64],
    legs: Legs,
    target: Floats,
    daily: bool,
    settled: Floats,
    settled_closes: int,
    holdings: Floats,
) -> tuple[Counts, Tally, Tally]:
    """Follow one combination through the sample."""
    invested = is_invested(target)
    state, held, filled = 0, 0, 0
    held_return = 0.0
    holdings_known = False
    net, gross = NEW_TALLY, NEW_TALLY
    trades, sessions_held, traded = 0.0, 0.0, 0.0
    sessions = codes.size
    sleeps = waking.shape[1] > 0
    t = 0
    while True:
        if sleeps and state == 0 and held == 0:
            t = next_waking_close(waking, code_rows, t, sessions)
        if t >= sessions:
            break
        wanted = state & POSTURE_MASK
        if not invested[wanted]:
            wanted = 0
        if held != 0 or wanted != 0:
            if wanted == held and t - filled >= settled_closes:
                earned, earned_gross = settled[held, t, NET], settled[held, t, GROSS]
                traded += settled[held, t, TRADED]
                held_return = (1.0 + held_return) * (1.0 + earned_gross) - 1.0
                holdings_known = False
            else:
                if not holdings_known:
                    _settled_holdings(target[held], settled[held, t - 1, KEPT] if t > 0 else 1.0, holdings)
                    holdings_known = True
                earned_gross, held_return = _hold(legs, target[held], daily, t, filled, held_return)
                earned, notional = _trade(legs, target[wanted], wanted != held or daily, t, holdings)
                traded += notional
            net, gross = add_return(net, earned), add_return(gross, earned_gross)
            if wanted != held:
                if held != 0:
                    net, gross = end_trade(net), end_trade(gross)
                trades += wanted != 0
                held, filled, held_return = wanted, t, 0.0
            sessions_held += held != 0
        code: Any = np.int64(codes[t])  # numba's int() would leave it unsigned, and mixing the two makes a float
        state = decide(rule, state, held_return, code)
        t += 1
    if held != 0:
        net, gross = end_trade(net), end_trade(gross)
    return Counts(trades, sessions_held, traded), net, gross


@jit
def _settled_holdings(target: Floats, kept: float, holdings: Floats) -> None:
    """Fill the holdings after the orders of a close, as fractions of the equity after their cost."""
    for leg in range(holdings.size):
        holdings[leg] = target[leg] / kept


@jit
def _hold(legs: Legs, target: Floats, daily: bool, t: int, filled: int, held_return: float) -> tuple[float, float]:
    """Return what the position earns in session t before costs, and since its fill."""
    gain = 0.0
    if daily:
        for leg in range(target.size):
            gain += target[leg] * legs.returns[t, leg]
        return gain, (1.0 + held_return) * (1.0 + gain) - 1.0
    for leg in range(target.size):
        gain += target[leg] * (legs.prices[t, leg] / legs.prices[filled, leg] - 1.0)
    return (1.0 + gain) / (1.0 + held_return) - 1.0, gain


@jit
def _trade(legs: Legs, wanted: Floats, trades: bool, t: int, holdings: Floats) -> tuple[float, float]:
    """Value the holdings at close t and trade to the target.

    Returns the net return of session t and the traded notional over the equity before the orders; leaves the holdings
    as fractions of the equity after their cost.
    """
    before = 1.0
    for leg in range(holdings.size):
        gain = holdings[leg] * legs.returns[t, leg]
        holdings[leg] += gain
        before += gain
    notional = 0.0
    if trades:
        for leg in range(holdings.size):
            wish = wanted[leg] * before
            notional += abs(wish - holdings[leg])
            holdings[leg] = wish
    after = before - legs.cost_rate * notional
    for leg in range(holdings.size):
        holdings[leg] /= after
    return after - 1.0, notional / before
