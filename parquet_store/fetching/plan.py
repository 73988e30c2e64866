"""Which days to ask for: all of a new series, else some weeks before the last row held, so that revisions are seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from parquet_store.fetching.confirmation import days_waiting
from parquet_store.fetching.held import Held
from parquet_store.fetching.raw_archive import Purpose
from parquet_store.sources import FILES, Span, find_source
from parquet_store.universe import SeriesSpec

__all__ = ["LATE_START", "SeriesPlan", "plan_fetch", "plan_table"]

_OVERLAP = {"monthly": timedelta(days=400)}
_DAILY_OVERLAP = timedelta(days=45)

LATE_START = timedelta(days=31)
"""A history that begins this much later than it is known to begin lacks its beginning."""


@dataclass(frozen=True)
class SeriesPlan:
    """What will be asked for one series.

    Attributes
    ----------
    spec
        The series.
    reason
        Why these days: ``new``, ``recent``, ``since``, ``refresh``.
    questions
        The spans of days, each with its purpose.
    """

    spec: SeriesSpec
    reason: str
    questions: tuple[tuple[Purpose, Span], ...]


def plan_fetch(
    specs: Iterable[SeriesSpec], held: Mapping[str, Held], today: date, *, since: date | None, refresh: bool
) -> list[SeriesPlan]:
    """Return the plan of each series that has a source to be asked.

    Parameters
    ----------
    since
        Ask from this day on at the latest; a gap behind the rows held is never left.
    refresh
        Ask for the whole history.
    """
    return [_plan(spec, held[spec.name], today, since=since, refresh=refresh) for spec in specs if spec.source != FILES]


def _plan(spec: SeriesSpec, held: Held, today: date, *, since: date | None, refresh: bool) -> SeriesPlan:
    if refresh or held.last is None or held.first is None:
        reason, first = "refresh" if refresh else "new", None if refresh else since
    else:
        recent = held.last - _OVERLAP.get(spec.calendar, _DAILY_OVERLAP)
        first = min([recent, *days_waiting(held, today)])
        reason = "since" if since is not None and since < first else "recent"
        first = first if since is None else min(first, since)
    questions: list[tuple[Purpose, Span]] = [("rows", Span(first, today))]
    if first is not None and held.first is not None and _lacks_its_beginning(spec, held.first):
        # One more small question: an earlier answer may have been cut short without saying so.
        until = min(held.first, first) - timedelta(days=1)
        questions.append(("earlier", Span(None, until)))
    whole = find_source(spec.source).always_whole
    return SeriesPlan(spec, reason, tuple(questions[:1] if whole else questions))


def _lacks_its_beginning(spec: SeriesSpec, first: date) -> bool:
    return spec.starts is not None and first > spec.starts + LATE_START


def plan_table(plans: Iterable[SeriesPlan]) -> pl.DataFrame:
    """Return the plans as a table: a row a question."""
    rows = [
        (plan.spec.name, plan.spec.source, plan.reason if purpose == "rows" else purpose, span.first, span.last)
        for plan in plans
        for purpose, span in plan.questions
    ]
    schema = {"series": pl.String(), "source": pl.String(), "reason": pl.String(), "from": pl.Date(), "to": pl.Date()}
    return pl.DataFrame(rows, schema=schema, orient="row")
