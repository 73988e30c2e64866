"""From the answers for one series to what may be stored of them: the whole judgement, a function of values alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from parquet_store.calendar import known_at
from parquet_store.fetching.checks import believable, finished, in_order, rejected_rows, split_off
from parquet_store.fetching.confirmation import confirmed_days, not_yet_held, rejected_as_quarantine, released
from parquet_store.fetching.held import Held, empty_rows
from parquet_store.fetching.jumps import jumps
from parquet_store.fetching.plan import LATE_START
from parquet_store.fetching.raw_archive import KeptAnswer
from parquet_store.fetching.splits import Rebased, follow_splits
from parquet_store.schema import SCHEMAS
from parquet_store.sources import Parsed, Span, WrongAnswer, find_source
from parquet_store.sources.interface import REJECTED_ROWS
from parquet_store.universe import SeriesSpec

__all__ = ["Admission", "admit"]

_DIVIDEND_LIMIT = 0.5
_SPLIT_LIMIT = 200.0


@dataclass(frozen=True)
class Admission:
    """What may be stored of the answers for one series.

    Attributes
    ----------
    rows, actions
        Rows of the series' table and of the actions, without ``seen_at``: those that came, and those held that a new
        split has put on another base.
    quarantine
        New rows of the quarantine, without ``seen_at``.
    waiting
        How many rows of these answers are kept out of reads.
    begins_late
        The first day there is of a history that is known to begin earlier; None where nothing is missing.
    notes
        What the user should know.
    """

    rows: pl.DataFrame
    actions: pl.DataFrame
    quarantine: pl.DataFrame
    waiting: int
    begins_late: date | None
    notes: tuple[str, ...]


def admit(spec: SeriesSpec, answers: Sequence[KeptAnswer], held: Held, now: datetime) -> Admission:
    """Judge the answers for one series against what is held of it.

    Parameters
    ----------
    answers
        The answers of one fetch, those with recent rows first.
    now
        When they were fetched.

    Raises
    ------
    WrongAnswer
        If an answer is of another kind than asked for, has no rows, contradicts itself or the conventions of what is
        held. Nothing of it may then be stored.
    """
    source = find_source(spec.source)
    parsed = [source.parse(spec, kept.answer.body) for kept in answers]
    notes = [note for each in parsed for note in each.notes]
    came, rejected = _rows(spec, parsed, notes)
    ended, unfinished = finished(spec, came, now)
    notes.extend(unfinished)
    if ended.is_empty():
        msg = "the answer has no rows"
        raise WrongAnswer(msg)
    complete = _of_table(spec, ended)
    if not any(part.height for part in rejected) and _is_held_already(spec, complete, parsed, held):
        notes += _completeness(spec, answers[0].span, complete, held)
        return _nothing_new(spec, _late_start(spec, complete, held), notes)
    kept, unbelievable = believable(spec, complete, now.date())
    _refuse_other_conventions(spec, held)
    rebased, actions, wrong_actions = _with_actions(spec, parsed, kept, held, now)
    confirmed = confirmed_days(spec.table, complete, held.quarantined)
    leaping = jumps(spec, kept, rebased.rows).filter(~pl.col("date").is_in(confirmed["date"].implode()))
    rows = pl.concat([kept, complete.filter(pl.col("date").is_in(confirmed["date"].implode()))])
    rows = rows.unique(subset="date", maintain_order=True).filter(~pl.col("date").is_in(leaping["date"].implode()))
    waiting = pl.concat([*rejected, _unconfirmed(unbelievable, confirmed), _with_rows(kept, leaping)])
    raw = answers[0].answer.sha256
    notes += [*rebased.notes, *_completeness(spec, answers[0].span, rows, held)]
    quarantine = pl.concat(
        [
            rejected_as_quarantine(spec.table, spec.name, spec.source, raw, waiting),
            rejected_as_quarantine("actions", spec.name, spec.source, raw, wrong_actions),
        ]
    )
    news = not_yet_held(quarantine, held.quarantined)
    return Admission(
        rows=pl.concat([rows, _changed(spec, rebased, rows)]),
        actions=pl.concat([_as_actions(spec, actions), _changed_actions(rebased, actions)]),
        quarantine=pl.concat([news, released(confirmed).select(news.columns)]),
        waiting=quarantine.height,
        begins_late=_late_start(spec, rows, held),
        notes=tuple(notes),
    )


def _rows(spec: SeriesSpec, parsed: Sequence[Parsed], notes: list[str]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the rows of all answers by date, of answers that overlap the first one's, and what was rejected."""
    rejected = [pl.DataFrame(schema=dict(REJECTED_ROWS))]
    ordered = []
    for each in parsed:
        rows, contradictory, peculiar = in_order(each.rows)
        ordered.append(rows)
        rejected += [each.rejected, contradictory]
        notes.extend(peculiar)
    rows = pl.concat(ordered).unique(subset="date", keep="first", maintain_order=True).sort("date")
    if rows.is_empty() and any(part.height for part in rejected):
        msg = f"no row of {spec.name} could be read"
        raise WrongAnswer(msg)
    return rows, rejected


def _is_held_already(spec: SeriesSpec, rows: pl.DataFrame, parsed: Sequence[Parsed], held: Held) -> bool:
    """Say whether an answer repeats what is held, as most do: there is then nothing to judge."""
    columns = [name for name in _columns(spec.table) if name != "source"]
    events = pl.concat([each.actions for each in parsed])
    known = rows.join(held.rows.select(columns), on=columns, how="semi", nulls_equal=True)
    known_events = events.join(held.actions, on=["date", "kind", "value"], how="semi")
    return known.height == rows.height and known_events.height == events.height


def _nothing_new(spec: SeriesSpec, begins_late: date | None, notes: Sequence[str]) -> Admission:
    rows, actions, quarantine = (empty_rows(table).drop("seen_at") for table in (spec.table, "actions", "quarantine"))
    return Admission(rows, actions, quarantine, waiting=0, begins_late=begins_late, notes=tuple(notes))


def _refuse_other_conventions(spec: SeriesSpec, held: Held) -> None:
    convention = "basis" if spec.table == "prices" else "unit"
    ours = spec.basis if spec.table == "prices" else spec.unit
    other = held.rows.filter(pl.col(convention) != ours)
    if other.height:
        msg = f"{spec.name} is held with the {convention} {other[convention][0]} instead of {ours}; use another store"
        raise WrongAnswer(msg)


def _with_actions(
    spec: SeriesSpec, parsed: Sequence[Parsed], rows: pl.DataFrame, held: Held, now: datetime
) -> tuple[Rebased, pl.DataFrame, pl.DataFrame]:
    """Return what is held on the answer's base, the answer's actions, and those that cannot be."""
    actions = pl.concat([each.actions for each in parsed]).unique(subset=["date", "kind"], keep="first").sort("date")
    if spec.table != "prices" or spec.basis != "split_adjusted":
        return Rebased(held.rows, held.actions, None, ()), actions.clear(), pl.DataFrame(schema=dict(REJECTED_ROWS))
    is_split = pl.col("kind") == "split"
    ended, _ = finished(spec, actions.filter(~is_split).with_columns(close=1.0), now)
    dated = pl.concat([ended.drop("close"), actions.filter(is_split & (pl.col("date") <= now.date()))])
    closes = rows.select("date", pl.col("close").alias("before")).sort("date")
    priced = dated.sort("date").join_asof(closes, on="date", allow_exact_matches=False, check_sortedness=False)
    rules = [
        (~is_split & (pl.col("value") >= _DIVIDEND_LIMIT * pl.col("before")), "the dividend is half the price or more"),
        (is_split & ~pl.col("value").is_between(1 / _SPLIT_LIMIT, _SPLIT_LIMIT), "the split is out of all proportion"),
    ]
    credible, wrong = split_off(priced, rules)
    credible = credible.drop("before")
    return follow_splits(held, rows, credible.filter(is_split)), credible, wrong


def _unconfirmed(unbelievable: pl.DataFrame, confirmed: pl.DataFrame) -> pl.DataFrame:
    return unbelievable.filter(~pl.col("date").is_in(confirmed["date"].implode()))


def _with_rows(rows: pl.DataFrame, leaping: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that jump as those of the quarantine, each with its reason."""
    chosen = rows.join(leaping, on="date", maintain_order="left")
    return rejected_rows(chosen.drop("reason"), "").with_columns(chosen["reason"])


def _completeness(spec: SeriesSpec, span: Span, rows: pl.DataFrame, held: Held) -> list[str]:
    """Say what an answer lacks of what is held, or of what is known to exist; nothing is deleted for it."""
    days = rows["date"].sort().to_list()
    first, last = (days[0], days[-1]) if days else (None, None)
    asked_first = None if find_source(spec.source).always_whole else span.first
    asked = held.rows if asked_first is None else held.rows.filter(pl.col("date") >= asked_first)
    lacking = asked.join(rows.select("date"), on="date", how="anti")["date"].sort()
    notes = []
    if first is not None and (lacking < first).any():
        notes.append(
            f"TRUNCATED: the answer begins on {first} and lacks {(lacking < first).sum()} earlier rows that are held, "
            f"from {lacking[0]} on; they stay"
        )
    if last is not None and (lacking > last).any():
        notes.append(f"the answer ends on {last} and the rows held on {lacking[-1]}; they stay")
    inside = lacking.filter(lacking.is_between(first, last)) if first is not None else lacking
    if inside.len():
        notes.append(f"{inside.len()} rows held did not come again, the first of {inside[0]}; they stay")
    return notes


def _late_start(spec: SeriesSpec, rows: pl.DataFrame, held: Held) -> date | None:
    begins = [day for day in (rows["date"].min(), held.first) if isinstance(day, date)]
    first = min(begins, default=None)
    return first if spec.starts is not None and first is not None and first > spec.starts + LATE_START else None


def _of_table(spec: SeriesSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the columns of the series' table, without ``seen_at``."""
    name = {"prices": "symbol", "macro": "series"}[spec.table]
    convention = {"prices": ("basis", spec.basis), "macro": ("unit", spec.unit)}[spec.table]
    named = rows.with_columns(
        pl.lit(spec.name).alias(name),
        pl.lit(convention[1]).alias(convention[0]),
        known_at(spec, rows["date"]),
        pl.lit(spec.source).alias("source"),
    )
    return named.select(_columns(spec.table))


def _as_actions(spec: SeriesSpec, actions: pl.DataFrame) -> pl.DataFrame:
    named = actions.with_columns(
        pl.lit(spec.name).alias("symbol"), known_at(spec, actions["date"]), pl.lit(spec.source).alias("source")
    )
    return named.select(_columns("actions"))


def _changed(spec: SeriesSpec, rebased: Rebased, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows held that a new split has changed and that did not come with the answer."""
    held = rebased.rows.select(_columns(spec.table))
    if rebased.changed_before is None:
        return held.clear()
    return held.filter(pl.col("date") < rebased.changed_before).join(rows.select("date"), on="date", how="anti")


def _changed_actions(rebased: Rebased, actions: pl.DataFrame) -> pl.DataFrame:
    held = rebased.actions.select(_columns("actions"))
    if rebased.changed_before is None:
        return held.clear()
    earlier = held.filter((pl.col("date") < rebased.changed_before) & (pl.col("kind") == "dividend"))
    return earlier.join(actions.select("date", "kind"), on=["date", "kind"], how="anti")


def _columns(table: str) -> list[str]:
    return [name for name in SCHEMAS[table].columns if name != "seen_at"]
