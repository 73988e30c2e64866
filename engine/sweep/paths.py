"""Follow the combinations of a block: one compiled loop for every strategy.

Combinations come in an order that puts those side by side that differ least. When the posture changes while no stop is
hit is found once for all that differ by their weights or their stops. Two kinds hold the same positions as another and
are not followed again: one that differs from the one before by a stop alone, and by so little that no return of that
path lies between the two stops; and one whose posture changes when that of another with the same weights and the same
rebalancing did, of which no stop was hit (`engine.sweep.alike`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import inlined_in_place, jit_in_place
from engine.metrics import SESSIONS_A_YEAR
from engine.sweep.alike import find_path, keep_path, number_of_changes, take_path
from engine.sweep.decisions import BEGIN, Asked, Stops, find_changes
from engine.sweep.holdings import Books
from engine.sweep.one_path import Counts, Form, Scratch, follow_path
from engine.sweep.plan import Rows
from engine.sweep.rules import bind_rule
from engine.sweep.tally import ReturnMetrics, Tally, return_metrics
from engine.sweep.waking import SEARCHED, Planes, forget

__all__ = ["FIGURES", "Combinations", "Paths", "follow_combinations", "new_paths", "of_rows"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]


class Combinations(NamedTuple):
    """What belongs to each combination of a block; see `engine.sweep.plan.Rows`.

    Attributes
    ----------
    order
        int64 (combinations,): the order in which they are followed.
    """

    order: Integers
    codes: Integers
    knobs: Floats
    weights: Integers
    daily: NDArray[np.bool_]


class Paths(NamedTuple):
    """Paths that were followed.

    Attributes
    ----------
    of
        int64 (combinations,): the path of each combination.
    figures
        Float64 (`FIGURES`, paths).
    """

    of: Integers
    figures: Floats


FIGURES = (
    *ReturnMetrics._fields,
    "trades",
    "exposure",
    "turnover",
    *(f"gross_{name}" for name in ReturnMetrics._fields),
)
"""What is known of a path: the metrics of `engine.metrics`, net and before costs; NaN where one cannot be computed."""

NO_CODES = np.uint64(0)

TRADES, EXPOSURE, TURNOVER, GROSS = range(len(ReturnMetrics._fields), len(ReturnMetrics._fields) + 4)


def of_rows(rows: Rows, order: Integers) -> Combinations:
    """Return the rows of a block as compiled code takes them."""
    return Combinations(order, rows.codes, rows.knobs, rows.weights, rows.daily)


def new_paths(combinations: int) -> Paths:
    """Return room for as many paths as there are combinations."""
    return Paths(np.empty(combinations, np.int64), np.empty((len(FIGURES), combinations)))


@jit_in_place
def follow_combinations(
    rule: Any,
    form: Form,
    stops: Stops,
    combinations: Combinations,
    codes: Words,
    planes: Planes,
    books: Books,
    scratch: Scratch,
    paths: Paths,
) -> int:
    """Fill the paths of a block and return their number.

    Parameters
    ----------
    rule
        Any instance of the strategy's rule: its type is what counts.
    codes
        uint64 (rows of codes, words of four).
    """
    followed = latest = codes_number = changes = sequence = BEGIN
    before = BEGIN - 1
    for i in combinations.order:
        same_codes = before >= 0 and _same_codes(combinations, i, before)
        same_rule = before >= 0 and _same_rule(combinations, stops, i, before)
        same = same_codes and same_rule and _same_holdings(combinations, i, before)
        if same and form.remembers and stops.declared and _within(combinations.knobs, stops, scratch, i):
            paths.of[i] = latest
            continue
        if not same_codes:
            _join_codes(codes, combinations.codes, i, before, scratch.joined)
            codes_number += 1
        if not same_rule:
            forget(scratch.watch)
        if not (same_codes and same_rule and form.remembers):
            changes = 0
        asked = Asked(
            bind_rule(rule, combinations.knobs[i]),
            form.jumps,
            scratch.codes,
            codes_number,
            combinations.codes[i],
            planes,
            scratch.watch,
        )
        knobs, target_of = combinations.knobs[i], books.target_of[combinations.weights[i]]
        supposes = _supposes_no_stop(form, stops, knobs)
        if supposes and changes == 0:
            changes = find_changes(asked, scratch.changes)
            scratch.watch.visited[SEARCHED] += 1
            sequence = number_of_changes(scratch.alike, scratch.changes, changes) if form.remembers else BEGIN
        before = i
        place, known = find_path(scratch.alike, stops, sequence, combinations.weights[i], combinations.daily[i], knobs)
        if supposes and form.remembers and known:
            latest = paths.of[i] = take_path(scratch.alike, place, scratch.low, scratch.high)
            continue
        counted, net, gross = follow_path(
            asked, form, stops, knobs, target_of, combinations.daily[i], books, scratch, changes if supposes else BEGIN
        )
        _note_figures(paths.figures[:, followed], counted, net, gross, books.prices.shape[0])
        if supposes and form.remembers:
            keep_path(
                scratch.alike,
                place,
                sequence,
                combinations.weights[i],
                combinations.daily[i],
                followed,
                scratch.low,
                scratch.high,
            )
        latest = paths.of[i] = followed
        followed += 1
    return followed


@inlined_in_place
def _note_figures(figures: Floats, counts: Counts, net: Tally, gross: Tally, sessions: int) -> None:
    for field, figure in enumerate(return_metrics(net, counts.trades, counts.hits, sessions)):
        figures[field] = figure
    figures[TRADES] = counts.trades
    figures[EXPOSURE] = counts.sessions_held / sessions
    figures[TURNOVER] = counts.traded * SESSIONS_A_YEAR / sessions
    for field, figure in enumerate(return_metrics(gross, counts.trades, counts.gross_hits, sessions)):
        figures[GROSS + field] = figure


@inlined_in_place
def _same_codes(combinations: Combinations, one: int, other: int) -> bool:
    same = True
    for table in range(combinations.codes.shape[1]):
        same &= combinations.codes[one, table] == combinations.codes[other, table]
    return same


@inlined_in_place
def _same_rule(combinations: Combinations, stops: Stops, one: int, other: int) -> bool:
    """Tell whether two rules are the same but for their stops."""
    same = True
    for field in range(combinations.knobs.shape[1]):
        same &= stops.is_stop[field] or combinations.knobs[one, field] == combinations.knobs[other, field]
    return same


@inlined_in_place
def _same_holdings(combinations: Combinations, one: int, other: int) -> bool:
    same_weights: bool = combinations.weights[one] == combinations.weights[other]
    same_days: bool = combinations.daily[one] == combinations.daily[other]
    return same_weights and same_days


@inlined_in_place
def _within(knobs: Floats, stops: Stops, scratch: Scratch, i: int) -> bool:
    """Tell whether the stops of a combination give the path that was followed last."""
    within = True
    for field in range(knobs.shape[1]):
        within &= not stops.is_stop[field] or scratch.low[field] <= knobs[i, field] < scratch.high[field]
    return within


@inlined_in_place
def _join_codes(codes: Words, rows: Integers, i: int, before: int, joined: Words) -> None:
    """Unite the rows of codes of a combination, four codes a word, table by table.

    What is united already is that of the combination ``before`` (none if negative), whose rows are not all the same.
    The first tables whose rows it has too stay as they are, and in the order of a block these are most.
    """
    table = BEGIN
    while before >= 0 and rows[i, table] == rows[before, table]:
        table += 1
    for following in range(table, rows.shape[1]):
        row = rows[i, following]
        for word in range(joined.shape[1]):
            earlier = joined[following - 1, word] if following > 0 else NO_CODES
            joined[following, word] = earlier | codes[row, word]


@inlined_in_place
def _supposes_no_stop(form: Form, stops: Stops, knobs: Floats) -> bool:
    """Tell whether a rule is run as if no stop were hit, and looked at afterwards where one was."""
    supposes = stops.declared
    for field in range(knobs.size):
        supposes &= not stops.is_stop[field] or (form.remembers and knobs[field] < 0.0)
    return supposes
