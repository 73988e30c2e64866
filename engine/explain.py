"""Explain a day: what each condition of a strategy said at its close, what the rule made of it, what is traded next.

The rule is run from the first session on which everything traded has a price to the day asked for, by the same path as
a sweep of one combination. What it looks at may reach back to older data; nothing later than the day can have a say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from engine.panel import NEXT_MORNING, Panel, Sample, connected, known_next_morning
from engine.strategies import Condition, Strategy, depends_on, find_strategy, read_condition
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep import Costs, Plan, RuleTrace, grid_of_one, plan_from_panel, strategy_panel, trace_rule
from parquet_store import Store, sessions
from parquet_store.errors import EngineError

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "ConditionVerdict",
    "ExplainError",
    "Explanation",
    "InputValue",
    "InsightRuleVerdict",
    "LegTarget",
    "explain",
]

NEARBY = timedelta(days=14)
"""Two sessions of the exchange are never further apart."""


class ExplainError(EngineError):
    """The day cannot be explained."""


@dataclass(frozen=True)
class ConditionVerdict:
    """One condition at the close.

    Attributes
    ----------
    bit, text
        Its place in the code, and what it says.
    value, relation, threshold
        What was looked at and what it was compared with; None where undefined.
    met
        The verdict.
    undefined
        Why value or threshold has none: ``"warm-up"`` if it never had one so far, ``"missing"`` if it had; None where
        both are defined.
    parameters
        Those that the condition depends on.
    """

    bit: int
    text: str
    value: float | None
    relation: str
    threshold: float | None
    met: bool
    undefined: Literal["warm-up", "missing"] | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class InsightRuleVerdict:
    """One claim of the document at the close.

    Attributes
    ----------
    name, title, claim, confidence
        As in `engine.strategies.InsightRule`.
    fires
        Whether all its conditions are met.
    bits
        Their places in the code.
    """

    name: str
    title: str
    claim: str
    confidence: float
    fires: bool
    bits: tuple[int, ...]


@dataclass(frozen=True)
class InputValue:
    """One series as the strategy saw it at the close.

    Attributes
    ----------
    series
        Its name; with ``@next_morning`` what was known on the morning after.
    value
        As in the panel: a total-return index for a price, else in the unit of the universe; None where nothing usable
        was known.
    dated, known_at
        The day the value is of, and the moment it became known (UTC).
    """

    series: str
    value: float | None
    dated: date | None
    known_at: datetime | None


@dataclass(frozen=True)
class LegTarget:
    """Target weights of one leg, fractions of equity: of the posture held, and of the posture wanted."""

    leg: str
    held: float
    wanted: float


@dataclass(frozen=True)
class Explanation:
    """A strategy at the close of a day.

    Attributes
    ----------
    strategy, title, parameters
        What was explained, all parameters included.
    day, first, next_session
        The day; the session on which the rule began, without a position; the session at whose close is traded.
    as_of, seen_at, simulated
        The moment whose knowledge was used (None: all that is stored), when the newest row used was stored, and
        whether the market is the simulated one.
    conditions, insight_rules, inputs, legs
        See their classes.
    code
        The conditions met, condition k being bit k.
    state_before, state_after
        Of the rule; the low four bits are the posture wanted.
    posture_held, held_since, held_return
        What is held after the day's trades, since when, and what it has earned since, gross of costs; the last two are
        None where nothing is held.
    posture_wanted, trade
        What is wanted from the next close on, and in words what that means for the orders there.
    notes
        Sentences that must stand beside it.
    """

    strategy: str
    title: str
    parameters: Mapping[str, Any]
    day: date
    first: date
    next_session: date
    as_of: datetime | None
    seen_at: datetime | None
    simulated: bool
    conditions: tuple[ConditionVerdict, ...]
    insight_rules: tuple[InsightRuleVerdict, ...]
    code: int
    state_before: int
    state_after: int
    posture_held: str
    held_since: date | None
    held_return: float | None
    posture_wanted: str
    trade: str
    legs: tuple[LegTarget, ...]
    inputs: tuple[InputValue, ...]
    notes: tuple[str, ...]


def explain(
    store: Store,
    name: str,
    day: date,
    values: Mapping[str, Any] | None = None,
    *,
    as_of: datetime | None = None,
    connection: "duckdb.DuckDBPyConnection | None" = None,
) -> Explanation:
    """Explain what a strategy saw, decided and wanted at the close of a day.

    Parameters
    ----------
    store
        Where the data are.
    name
        The strategy.
    day
        A session of the New York Stock Exchange.
    values
        Parameters that differ from their defaults.
    as_of
        Use only what had been stored by this moment.
    connection
        As in `engine.panel.load_panel`.

    Raises
    ------
    ExplainError
        The day is no session, or the store has no prices to value the strategy on it.
    EngineError
        The strategy, a parameter or a series is unknown, or the parameters have no meaning together.
    """
    strategy = find_strategy(name)
    following = _next_session(day)
    with connected(store, as_of, connection) as reading:
        first, inputs = _look_up(reading, strategy, day, following)
        sample = Sample(first, day, warmup="before")
        panel = strategy_panel(store, strategy, sample, as_of=as_of, connection=reading)
    grid = grid_of_one(strategy, values or {}, sample=sample, costs=Costs())
    if panel.sessions < 2:
        message = f"{day} is the first session with prices of all of {', '.join(strategy.legs)}: choose a later one"
        raise ExplainError(message)
    plan = plan_from_panel(panel, grid)
    trace = trace_rule(plan)
    before, after = (int(state) for state in trace.states[-2:])
    held, wanted = before & POSTURE_MASK, after & POSTURE_MASK
    invested = bool(trace.path[-1])
    return Explanation(
        strategy=strategy.name,
        title=strategy.title,
        parameters=grid.fixed.model_dump(mode="json"),
        day=day,
        first=panel.sample_dates[0].item(),
        next_session=following,
        as_of=as_of,
        seen_at=panel.seen_at,
        simulated=panel.simulated,
        conditions=tuple(_verdict(k, condition, plan) for k, condition in enumerate(strategy.conditions)),
        insight_rules=_insight_rules(strategy, int(trace.codes[-1])),
        code=int(trace.codes[-1]),
        state_before=before,
        state_after=after,
        posture_held=strategy.postures[held],
        held_since=_held_since(panel, trace) if invested else None,
        held_return=float(trace.held_returns[-1]) if invested else None,
        posture_wanted=strategy.postures[wanted],
        trade=_trade(plan, held, wanted, following),
        legs=_legs(plan, held, wanted),
        inputs=inputs,
        notes=plan.said(),
    )


def _next_session(day: date) -> date:
    """Return the first session after ``day``, which must be one itself."""
    around: list[date] = sessions(day - NEARBY, day + NEARBY)["date"].to_list()
    following = next(session for session in around if session > day)
    if day not in around:
        previous = max(session for session in around if session < day)
        message = (
            f"{day} is not a session of the New York Stock Exchange: "
            f"the sessions around it are {previous} and {following}"
        )
        raise ExplainError(message)
    return following


def _look_up(
    connection: "duckdb.DuckDBPyConnection", strategy: Strategy, day: date, following: date
) -> tuple[date | None, tuple[InputValue, ...]]:
    """Return the first session with prices of all legs, and what was known of each series that the store holds."""
    held = {name for (name,) in connection.sql("SELECT series FROM series").fetchall()}
    first, last = connection.sql("SELECT min(date), max(date) FROM sessions").fetchall()[0]
    rows = connection.sql(
        "SELECT series, value, dated, known_at FROM aligned WHERE series IS NOT NULL AND date = $day",
        params={"day": day},
    ).fetchall()
    priced = connection.sql(
        "SELECT date FROM aligned WHERE list_contains($legs, series) "
        "GROUP BY date HAVING count(*) = len($legs) ORDER BY date LIMIT 1",
        params={"legs": list(strategy.legs)},
    ).fetchall()
    names = tuple(dict.fromkeys((*strategy.series, *strategy.optional_inputs)))
    morning = {
        name: known_next_morning(connection, name, pl.Series([day, following])).row(0)[1:]
        for name in names
        if name.endswith(NEXT_MORNING)
    }
    found = {series: tuple(rest) for series, *rest in rows} | morning
    _check_prices(day, first, last, [leg for leg in strategy.legs if leg in held and leg not in found])
    inputs = tuple(InputValue(name, *found.get(name, (None, None, None))) for name in names)
    return priced[0][0] if priced else None, inputs


def _check_prices(day: date, first: date | None, last: date | None, unpriced: Sequence[str]) -> None:
    """Refuse a day outside the store's, or one on which a leg has no price."""
    if first is None or last is None:
        return  # the store is empty, and the panel says what is missing
    if not first <= day <= last:
        message = (
            f"the store has no data for {day}: its sessions run from {first} to {last}; "
            "choose one of them, or bring the store up to date with `engine data import`"
        )
        raise ExplainError(message)
    if unpriced:
        message = (
            f"there is no price of {', '.join(unpriced)} on {day}, and the strategy trades it: "
            "choose a day on which every leg has one (`engine data status`), or import the missing one"
        )
        raise ExplainError(message)


def _verdict(bit: int, condition: Condition, plan: Plan) -> ConditionVerdict:
    fixed = plan.grid.fixed
    parameters = {name: getattr(fixed, name) for name in depends_on(condition.read)}
    reading = read_condition(condition, plan.panel, parameters)
    defined = ~(np.isnan(reading.value) | np.isnan(reading.threshold))
    value, threshold = float(reading.value[-1]), float(reading.threshold[-1])
    reason: Literal["warm-up", "missing"] = "missing" if defined.any() else "warm-up"
    return ConditionVerdict(
        bit=bit,
        text=condition.text,
        value=None if np.isnan(value) else value,
        relation=reading.relation,
        threshold=None if np.isnan(threshold) else threshold,
        met=bool(reading.met[-1]),
        undefined=None if defined[-1] else reason,
        parameters=parameters,
    )


def _insight_rules(strategy: Strategy, code: int) -> tuple[InsightRuleVerdict, ...]:
    places = {condition.read: bit for bit, condition in enumerate(strategy.conditions)}
    verdicts = []
    for rule in strategy.insight_rules:
        bits = tuple(places[read] for read in rule.conditions)
        fires = all(code >> bit & 1 for bit in bits)
        verdicts.append(InsightRuleVerdict(rule.name, rule.title, rule.claim, rule.confidence, fires, bits))
    return tuple(verdicts)


def _held_since(panel: Panel, trace: RuleTrace) -> date:
    """Return the session at whose close the present posture was filled."""
    held = np.concatenate([[0], trace.wanted[:-1]])
    filled: date = panel.sample_dates[np.flatnonzero(np.diff(held))[-1] + 1].item()
    return filled


def _trade(plan: Plan, held: int, wanted: int, following: date) -> str:
    """Say in words which orders follow."""
    postures, weights = plan.grid.strategy.postures, plan.market.weights[0]
    if held != wanted:
        return f"from {postures[held]!r} to {postures[wanted]!r} at the close of {following}"
    if not weights[wanted].any():
        return "nothing"
    if plan.grid.fixed.rebalance == "daily":
        return f"the legs are traded back to their target weights at the close of {following}"
    return "nothing: the holdings run to the exit"


def _legs(plan: Plan, held: int, wanted: int) -> tuple[LegTarget, ...]:
    weights = plan.market.weights[0]
    return tuple(
        LegTarget(leg, float(weights[held, k]), float(weights[wanted, k])) for k, leg in enumerate(plan.market.legs)
    )
