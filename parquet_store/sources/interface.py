"""What a source is: it asks for bytes, and it reads bytes; nothing else is done by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Protocol

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.universe import SeriesSpec

__all__ = [
    "ACTION_ROWS",
    "REJECTED_ROWS",
    "Answer",
    "Ask",
    "Limits",
    "Parsed",
    "PassingFault",
    "Request",
    "Response",
    "Source",
    "Span",
    "WrongAnswer",
]

ACTION_ROWS: Mapping[str, pl.DataType] = {"date": pl.Date(), "kind": pl.String(), "value": pl.Float64()}
"""The columns of the corporate actions that a source parses."""

REJECTED_ROWS: Mapping[str, pl.DataType] = {"date": pl.Date(), "row": pl.String(), "reason": pl.String()}
"""The columns of what could not be read: the day if that much is known, the cells as JSON, and why."""


_NO_ACTIONS = pl.DataFrame(schema=dict(ACTION_ROWS))
_NONE_REJECTED = pl.DataFrame(schema=dict(REJECTED_ROWS))


class WrongAnswer(EngineError):  # noqa: N818 - it is the answer that is wrong
    """What came is not what was asked for; none of it may be stored."""


class PassingFault(Exception):  # noqa: N818 - a fault of the line, not of this program
    """A fault that can pass by itself, so that asking again is worth it.

    Attributes
    ----------
    retry_after
        Seconds after which the provider wants to be asked again; None where it did not say.
    """

    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Span:
    """The days that are asked for, both ends included; `first` None means from the beginning."""

    first: date | None
    last: date


@dataclass(frozen=True)
class Request:
    """One request: an address without query, and the query's names and values, secrets among them."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Response:
    """What a server answered, whatever the status."""

    status: int
    body: bytes
    retry_after: float | None = None


@dataclass(frozen=True)
class Answer:
    """The bytes of one answer, and what they answer.

    Attributes
    ----------
    url
        The address asked, query included, secrets blacked out.
    body
        The bytes as they came.
    fetched_at
        When they came.
    """

    url: str
    body: bytes = field(repr=False)
    fetched_at: datetime

    @property
    def sha256(self) -> str:
        """The hash of the body."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Parsed:
    """The rows of one answer, in the order in which they came.

    Attributes
    ----------
    rows
        ``date`` and the value columns of the series' table: ``open`` to ``volume``, or ``value``. Missing is null.
    actions
        Dividends and splits, as `ACTION_ROWS`.
    rejected
        Rows of which a cell could not be read, as `REJECTED_ROWS`.
    notes
        Peculiarities for the report.
    """

    rows: pl.DataFrame
    actions: pl.DataFrame = field(default_factory=lambda: _NO_ACTIONS)
    rejected: pl.DataFrame = field(default_factory=lambda: _NONE_REJECTED)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How hard a provider may be pressed: requests a minute in the long run, at the start, and at one time."""

    per_minute: float
    burst: int
    at_once: int


class Ask(Protocol):
    """Sends a request at the provider's pace, again where a fault can pass; the rest of a fetch sees to that."""

    def __call__(self, request: Request, *, accept: Callable[[Response], bool] | None = None) -> Answer:
        """Return the answer; `accept` says which answers beside those of status 200 are wanted."""


@dataclass(frozen=True)
class Source:
    """A provider.

    Attributes
    ----------
    title
        Its name in messages.
    limits
        How hard it may be pressed.
    connect
        Opens a connection and returns a function from request and timeout in seconds to response; called once a
        fetch, and the function is called from several threads.
    fetch
        Asks for the days of a series and returns the answers as they came.
    parse
        Reads one answer. Raises `WrongAnswer` where it is of another kind than asked for.
    always_whole
        Whether every answer holds the whole history, whatever days are asked for.
    vintages
        Asks for what the provider showed on past days, and `parse_vintages` reads it; None where it cannot.
    """

    title: str
    limits: Limits
    connect: Callable[[], Callable[[Request, float], Response]]
    fetch: Callable[[SeriesSpec, Span, Ask], tuple[Answer, ...]]
    parse: Callable[[SeriesSpec, bytes], Parsed]
    always_whole: bool = False
    vintages: Callable[[SeriesSpec, Ask, date], tuple[Answer, ...]] | None = None
    parse_vintages: Callable[[SeriesSpec, Sequence[bytes]], pl.DataFrame] | None = None
