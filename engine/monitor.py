"""The monitor: what every strategy says at one close, which rules of the documents fire, and how old the data are.

Each strategy is explained at its default parameters, by the same path as `engine.explain`. Where the store lacks what
they read, the stand-ins that the strategy names are tried in their order, and marked: they deserve less confidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from engine.explain import Explanation, InsightRuleVerdict, LegTarget, explain
from engine.panel import NEXT_MORNING, PanelError, connected
from engine.strategies import Strategy, find_strategy, strategy_names
from parquet_store import SeriesSpec, Store, load_universe, sessions
from parquet_store.errors import EngineError
from sql import keep_alignment

__all__ = ["Monitor", "RuleState", "SeriesState", "StrategyState", "monitor"]

_DAYS_WITHOUT_SESSION = 5
"""A store whose last session is longer ago has missed one: no closure of the exchange lasts so long."""


@dataclass(frozen=True)
class StrategyState:
    """A strategy at the close.

    Attributes
    ----------
    strategy, title
        Which one.
    regime
        The posture that its rule wants from the close on; None where it cannot say.
    held, held_since, held_return
        The posture held after the day's trades, since when, and what it has earned since, gross of costs; the last two
        are None where nothing is held.
    trade
        What is traded at the next close, in words.
    legs
        Target weights of both postures, fractions of equity.
    stand_in
        The parameters by which it reads something else than its documents name; None where nothing stands in.
    unavailable
        Why it cannot say anything, with the remedy; None where it can.
    """

    strategy: str
    title: str
    regime: str | None = None
    held: str | None = None
    held_since: date | None = None
    held_return: float | None = None
    trade: str | None = None
    legs: tuple[LegTarget, ...] = ()
    stand_in: Mapping[str, Any] | None = None
    unavailable: str | None = None


@dataclass(frozen=True)
class RuleState:
    """A rule of a document at the close.

    Attributes
    ----------
    strategy
        The strategy that reads its conditions.
    rule
        What it claims, the document's confidence, and whether it fires.
    stand_in
        As in `StrategyState`: with it the document's confidence is too high.
    """

    strategy: str
    rule: InsightRuleVerdict
    stand_in: Mapping[str, Any] | None


@dataclass(frozen=True)
class SeriesState:
    """A series that some strategy reads, as it was known at the close.

    Attributes
    ----------
    series, unit
        Its name and the unit of the value.
    value, dated, known_at
        The newest value known (of prices the close), its day, and the moment from which it was known (UTC); None where
        there is none.
    days_old, stale_after_days
        Calendar days from its day to the close's, and how many the universe allows.
    stale
        Whether it is older, or absent.
    proxies
        The series that may stand in for it, by the universe.
    """

    series: str
    unit: str
    value: float | None
    dated: date | None
    known_at: datetime | None
    days_old: int | None
    stale_after_days: int
    stale: bool
    proxies: tuple[str, ...]


@dataclass(frozen=True)
class Monitor:
    """All strategies at one close.

    Attributes
    ----------
    day, next_session
        The session, and the one at whose close is traded.
    as_of, seen_at, simulated
        As in `engine.explain.Explanation`; `seen_at` is of the newest row that any strategy used.
    strategies, rules, series
        See their classes; by name, in the order of the documents, and in that of the universe.
    notes
        Sentences that must stand beside it.
    """

    day: date
    next_session: date
    as_of: datetime | None
    seen_at: datetime | None
    simulated: bool
    strategies: tuple[StrategyState, ...]
    rules: tuple[RuleState, ...]
    series: tuple[SeriesState, ...]
    notes: tuple[str, ...]


def monitor(
    store: Store, day: date | None = None, *, as_of: datetime | None = None, now: datetime | None = None
) -> Monitor:
    """Look at every strategy at the close of a day.

    Parameters
    ----------
    day
        A session of the New York Stock Exchange; None: the last one that the store has.
    as_of
        Use only what had been stored by this moment.
    now
        The present, by which a store is found to have missed sessions; None: `as_of`, else the clock.

    Raises
    ------
    EngineError
        The store has no session, the day is none, or no strategy can say anything of it.
    """
    with connected(store, as_of, None) as connection:
        keep_alignment(connection)
        chosen = _last_session(store, connection) if day is None else day
        outcomes = [_explained(store, connection, find_strategy(name), chosen, as_of) for name in strategy_names()]
        found = [explanation for _, explanation in outcomes if explanation is not None]
        if not found:
            raise EngineError(str(outcomes[0][0].unavailable))
        series = _series(connection, chosen)
    stored = [each.seen_at for each in found if each.seen_at is not None]
    simulated = any(each.simulated for each in found)
    notes = [f"{each.strategy}: {note}" for each in found for note in each.notes]
    present = (now or as_of or datetime.now(UTC)).date()
    if day is None and not simulated and (present - chosen).days > _DAYS_WITHOUT_SESSION:
        notes.insert(0, f"the last session of the store is {(present - chosen).days} days old; run `engine data fetch`")
    return Monitor(
        day=chosen,
        next_session=found[0].next_session,
        as_of=as_of,
        seen_at=max(stored, default=None),
        simulated=simulated,
        strategies=tuple(state for state, _ in outcomes),
        rules=tuple(
            RuleState(state.strategy, rule, state.stand_in)
            for state, explanation in outcomes
            if explanation is not None
            for rule in explanation.insight_rules
        ),
        series=series,
        notes=tuple(notes),
    )


def _last_session(store: Store, connection: DuckDBPyConnection) -> date:
    last: date | None = connection.sql("SELECT max(date) FROM sessions").fetchall()[0][0]
    if last is None:
        message = (
            f"the store at {store.root} had no session of the exchange by then: "
            "fill it with `engine data fetch` or `engine data import FILE`, or choose a later moment"
        )
        raise EngineError(message)
    return last


def _explained(
    store: Store, connection: DuckDBPyConnection, strategy: Strategy, day: date, as_of: datetime | None
) -> tuple[StrategyState, Explanation | None]:
    """Explain a strategy at its defaults, else at the first stand-in that the store can serve."""
    said: EngineError | None = None
    for values in ({}, *strategy.stand_ins):
        try:
            explanation = explain(store, strategy.name, day, values, as_of=as_of, connection=connection)
        except PanelError as error:
            said = said or error
        except EngineError as error:
            said = error
            break
        else:
            return _state(explanation, values or None), explanation
    return StrategyState(strategy.name, strategy.title, unavailable=str(said)), None


def _state(explanation: Explanation, stand_in: Mapping[str, Any] | None) -> StrategyState:
    return StrategyState(
        strategy=explanation.strategy,
        title=explanation.title,
        regime=explanation.posture_wanted,
        held=explanation.posture_held,
        held_since=explanation.held_since,
        held_return=explanation.held_return,
        trade=explanation.trade,
        legs=explanation.legs,
        stand_in=stand_in,
    )


def _series(connection: DuckDBPyConnection, day: date) -> tuple[SeriesState, ...]:
    """Return the state of every series that some strategy reads."""
    universe = load_universe()
    read = _names_read(find_strategy(name) for name in strategy_names())
    specs = [spec for spec in universe.series if spec.name in read]
    known = _newest_known(connection, [spec.name for spec in specs], day)
    return tuple(_aged(spec, day, known.get(spec.name)) for spec in specs)


def _names_read(strategies: Iterable[Strategy]) -> set[str]:
    return {
        name.removesuffix(NEXT_MORNING)
        for strategy in strategies
        for name in (*strategy.series, *strategy.optional_inputs)
    }


def _newest_known(
    connection: DuckDBPyConnection, names: Sequence[str], day: date
) -> dict[str, tuple[float, date, datetime]]:
    """Return value, day and moment of the newest row of each series that was known at the close of a session."""
    rows = connection.sql(
        """
        SELECT series, max_by(value, date), max(date), max_by(known_at, date)
        FROM (SELECT symbol AS series, date, close AS value, known_at FROM prices
              UNION ALL SELECT series, date, value, known_at FROM macro)
        WHERE list_contains($names, series) AND known_at <= $close
        GROUP BY series
        """,
        params={"names": list(names), "close": sessions(day, day)["close_at"][0]},
    ).fetchall()
    return {series: (value, dated, known_at.astimezone(UTC)) for series, value, dated, known_at in rows}


def _aged(spec: SeriesSpec, day: date, newest: tuple[float, date, datetime] | None) -> SeriesState:
    value, dated, known_at = newest or (None, None, None)
    age = None if dated is None else (day - dated).days
    return SeriesState(
        series=spec.name,
        unit=spec.unit,
        value=value,
        dated=dated,
        known_at=known_at,
        days_old=age,
        stale_after_days=spec.stale_after_days,
        stale=age is None or age > spec.stale_after_days,
        proxies=spec.proxies,
    )
