"""What a fetch reports: a line a series with what came of it, and sentences on whatever was peculiar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

__all__ = ["FetchReport", "Outcome", "State", "outcome_table"]

State = Literal["ok", "stale", "failed"]
"""``ok``: current. ``stale``: nothing failed, and the newest value is older than it should be. ``failed``: nothing of
the answer was stored; what was held stays."""


@dataclass(frozen=True)
class Outcome:
    """What came of the fetch of one series.

    Attributes
    ----------
    state
        See `State`.
    counts
        Rows ``new``, ``revised``, ``unchanged`` and ``waiting`` (kept out of reads until they are confirmed).
    message
        Why it failed or is stale; empty if it is neither.
    notes
        Whatever else was peculiar.
    """

    series: str
    source: str
    state: State
    first: object = None
    last: object = None
    counts: Mapping[str, int] | None = None
    message: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    Attributes
    ----------
    series
        One row a series: ``series``, ``source``, ``state``, ``first`` and ``last`` day held afterwards, ``new``,
        ``revised``, ``waiting``, ``message``.
    notes
        Sentences for the user, each with the name of its series.
    not_fetched
        Series of the universe that no source offers: they come in by import.
    seen_at
        The moment under which rows were written.
    raw
        The sha256 of the file of the archive that keeps the answers; None where nothing came.
    manifest_id
        The store's manifest afterwards.
    """

    series: pl.DataFrame
    notes: tuple[str, ...]
    not_fetched: tuple[str, ...]
    seen_at: datetime
    raw: str | None
    manifest_id: str

    @property
    def failed(self) -> tuple[str, ...]:
        """The series that failed."""
        return tuple(self.series.filter(pl.col("state") == "failed")["series"])


def outcome_table(outcomes: list[Outcome]) -> pl.DataFrame:
    """Return outcomes as the table of a report."""
    schema = {
        "series": pl.String(),
        "source": pl.String(),
        "state": pl.String(),
        "first": pl.Date(),
        "last": pl.Date(),
        "new": pl.Int64(),
        "revised": pl.Int64(),
        "waiting": pl.Int64(),
        "message": pl.String(),
    }
    rows = [
        (
            outcome.series,
            outcome.source,
            outcome.state,
            outcome.first,
            outcome.last,
            *((outcome.counts or {}).get(name, 0) for name in ("new", "revised", "waiting")),
            outcome.message,
        )
        for outcome in outcomes
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")
