"""The panel: one aligned table of all series on the session calendar, as of a moment.

Row t holds what was known at the close of session t and nothing later. The alignment itself (release lags, week-bounded
carry, BTC's midnight bar, VIX's holiday rows) is the ``panel`` view of the store; this module takes the columns that a
study needs, checks them, and hands them on as plain arrays.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from parquet_store import Store, load_universe, read_manifest
from parquet_store.errors import EngineError

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "NEXT_MORNING",
    "Panel",
    "PanelError",
    "Sample",
    "connected",
    "how_to_get",
    "known_next_morning",
    "load_panel",
]


NEXT_MORNING = "@next_morning"
"""Suffix of a series: row t holds what is known before the session t+1 opens, in time for a trade at its close.

Only for series that are published in the morning (`known = "next_session_morning"` in the universe). It is the last
value dated in the week of session t: what is dated on a holiday that opens the next week belongs to that week.
"""


class PanelError(EngineError):
    """The store does not hold what was asked of it."""


@dataclass(frozen=True)
class Sample:
    """The sessions that a result speaks of.

    Attributes
    ----------
    first, last
        Calendar days, both ends included; ``None`` means as far as the data go.
    warmup
        ``"inside"``: indicators see nothing before ``first`` and are undefined at its start. ``"before"``: they may
        look at earlier data, so that they are defined from ``first`` on.
    """

    first: date | None = None
    last: date | None = None
    warmup: Literal["inside", "before"] = "inside"


@dataclass(frozen=True)
class Panel:
    """Aligned series, one row a session.

    Attributes
    ----------
    dates
        All sessions, warm-up included, ``datetime64[D]``, ascending.
    columns
        Series name to float64 array of the same length, read-only; NaN where nothing was known. Prices are total-return
        indices (dividends reinvested), macro series are in the unit of the universe.
    start
        Index of the first row of the sample; the rows before it are warm-up only.
    as_of
        The moment whose knowledge the panel shows; ``None`` is everything stored by now.
    seen_at
        When the newest row in the panel was stored (UTC).
    simulated
        True if the store is the simulated market: it holds nothing else then.
    """

    dates: NDArray[np.datetime64]
    columns: Mapping[str, NDArray[np.float64]]
    start: int
    as_of: datetime | None
    seen_at: datetime | None
    simulated: bool
    _indicators: dict[tuple[object, ...], NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def sample_dates(self) -> NDArray[np.datetime64]:
        """Sessions of the sample."""
        return self.dates[self.start :]

    @property
    def sessions(self) -> int:
        """Number of sessions in the sample."""
        return len(self.dates) - self.start

    def values(self, series: str) -> NDArray[np.float64]:
        """One series with its warm-up; read-only, NaN where unknown.

        Raises
        ------
        PanelError
            The panel was loaded without it: it is optional, and the store does not hold it.
        """
        if series not in self.columns:
            raise PanelError(_not_held([series.removesuffix(NEXT_MORNING)]))
        return self.columns[series]

    def indicator(
        self, kernel: Callable[..., NDArray[np.float64]], series: str, *arguments: float
    ) -> NDArray[np.float64]:
        """Return ``kernel(values, *arguments)`` of one series, computed once however many conditions ask for it."""
        key = (kernel, series, *arguments)
        if key not in self._indicators:
            values = kernel(self.values(series), *arguments)
            values.flags.writeable = False
            self._indicators[key] = values
        return self._indicators[key]

    def matrix(self, series: Sequence[str]) -> NDArray[np.float64]:
        """Several series over the sample, shape (sessions, series), C-ordered."""
        return np.ascontiguousarray(np.column_stack([self.columns[name][self.start :] for name in series]))

    def fingerprint(self) -> str:
        """Hash of the content: two panels with the same fingerprint give the same results."""
        digest = hashlib.sha256(f"{self.start}".encode())
        digest.update(self.dates.astype(np.int64).tobytes())
        for name in sorted(self.columns):
            digest.update(name.encode())
            digest.update(self.columns[name].tobytes())
        return digest.hexdigest()[:16]


def load_panel(
    store: Store,
    series: Sequence[str],
    sample: Sample,
    *,
    complete: Sequence[str] = (),
    optional: Sequence[str] = (),
    as_of: datetime | None = None,
    connection: "duckdb.DuckDBPyConnection | None" = None,
) -> Panel:
    """Read the aligned series of a sample from the store.

    Parameters
    ----------
    series
        Names as in the universe; each becomes a column. With `NEXT_MORNING` after the name: what is known on the
        morning after the session, for series that are published then.
    sample
        The sessions wanted. An open end is closed at the first (last) session on which every series of ``complete``
        has a value.
    complete
        The series that are traded: each must have a value on every session of the sample, since a position has to be
        valued there. The others may have gaps, which stay NaN.
    optional
        Series that are added where the store holds them.
    as_of
        Use only what had been stored by this moment.
    connection
        One to this store as of this moment, for who asks several times; None: a new one.

    Raises
    ------
    PanelError
        A series is not in the store, or was not by then; the sample holds no session; or a traded series has a gap.
    """
    with connected(store, as_of, connection) as reading:
        held = [name for (name, *_) in reading.sql("DESCRIBE panel").fetchall()]
        missing = [
            name for name in dict.fromkeys(name.removesuffix(NEXT_MORNING) for name in series) if name not in held
        ]
        if missing:
            raise PanelError(_not_yet_held(store, missing, as_of) or _not_held(missing, f" at {store.root}"))
        found = (name for name in optional if name.removesuffix(NEXT_MORNING) in held)
        series = tuple(dict.fromkeys((*series, *found)))
        stored = tuple(dict.fromkeys(name.removesuffix(NEXT_MORNING) for name in series))
        names = ", ".join(["date", *(_quoted(name) for name in stored)])
        frame = reading.sql(f"SELECT {names} FROM panel ORDER BY date").pl()  # noqa: S608 - quoted identifiers
        for name in (name for name in series if name.endswith(NEXT_MORNING)):
            frame = frame.with_columns(known_next_morning(reading, name, frame["date"])["value"].alias(name))
        origin = reading.sql(
            """
            SELECT max(seen_at) FILTER (WHERE list_contains($series, series)) AS seen_at,
                   coalesce(bool_or(source = 'simulated'), false) AS simulated
            FROM (SELECT symbol AS series, seen_at, source FROM prices
                  UNION ALL SELECT series, seen_at, source FROM macro)
            """,
            params={"series": list(stored)},
        ).fetchall()[0]
    frame = _cut(frame, sample, complete)
    _check_complete(frame, sample, complete)
    columns = {name: _array(frame[name]) for name in series}
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    start = 0 if sample.first is None else int(np.searchsorted(dates, np.datetime64(sample.first)))
    return Panel(dates, MappingProxyType(columns), start, as_of, origin[0], bool(origin[1]))


def connected(
    store: Store, as_of: datetime | None, connection: "duckdb.DuckDBPyConnection | None"
) -> AbstractContextManager["duckdb.DuckDBPyConnection"]:
    """Return a connection as a context: the one given, which stays open, or a new one, which is closed.

    Raises
    ------
    PanelError
        There is none yet, and nothing had been stored by the moment.
    """
    if connection is not None:
        return nullcontext(connection)
    from sql import connect  # noqa: PLC0415 - worker processes import this module and have no use for DuckDB

    if as_of is not None:
        _refuse_before_the_store(store, as_of)
    return connect(store, as_of=as_of)


def known_next_morning(connection: "duckdb.DuckDBPyConnection", name: str, sessions: pl.Series) -> pl.DataFrame:
    """Read a series as it is known on the morning after each session.

    Parameters
    ----------
    connection
        From `sql.connect`.
    name
        Name of a series, with or without `NEXT_MORNING`.
    sessions
        Days, ascending. Of the morning after the last one, what the store holds is what is known.

    Returns
    -------
    One row a session: ``session``, and ``value``, ``dated`` and ``known_at`` of the last row dated in its week that was
    known before the next session; null where there is none.
    """
    rows = connection.sql(
        "SELECT date AS dated, value, known_at FROM macro WHERE series = $series AND isodow(date) <= 5 ORDER BY dated",
        params={"series": name.removesuffix(NEXT_MORNING)},
    ).pl()
    week = pl.col("session").dt.truncate("1w")
    following = pl.col("session").shift(-1).fill_null(date.max)
    wanted = pl.DataFrame({"session": sessions}).with_columns(
        following=following, until=pl.min_horizontal(following.dt.offset_by("-1d"), week.dt.offset_by("6d"))
    )
    found = wanted.join_asof(rows, left_on="until", right_on="dated", strategy="backward", coalesce=False)
    counts = (pl.col("dated") >= week) & (pl.col("known_at").dt.date() <= pl.col("following"))
    return found.select("session", *(pl.when(counts).then(pl.col(part)) for part in ("value", "dated", "known_at")))


def _refuse_before_the_store(store: Store, as_of: datetime) -> None:
    """Refuse a moment before the store's first rows, of which nothing can be said.

    Raises
    ------
    PanelError
        If nothing had been stored by then; the message names the first moment that can be asked for.
    """
    first = min(_stored_from(store).values(), default=None)
    if first is not None and as_of < first:
        message = (
            f"nothing was known by {_moment(as_of)}: the first rows of the store at {store.root} were stored on "
            f"{_moment(first)}; choose a later --as-of"
        )
        raise PanelError(message)


def _not_yet_held(store: Store, missing: Sequence[str], as_of: datetime | None) -> str | None:
    """Say from when on the missing series are in the store; None where one of them never was, or no moment is asked."""
    stored_from = _stored_from(store)
    if as_of is None or not all(name in stored_from for name in missing):
        return None
    since = ", ".join(f"{name} from {_moment(stored_from[name])} on" for name in missing)
    return f"not known by {_moment(as_of)}: the store at {store.root} holds {since}; choose a later --as-of"


def _stored_from(store: Store) -> dict[str, datetime]:
    """Return from when on each series was in the store, as its manifest tells; '' where a file does not list them."""
    first: dict[str, datetime] = {}
    for entry in read_manifest(store).files:
        if entry.table in ("prices", "macro"):
            for name in entry.series or ("",):
                first[name] = min(first.get(name, entry.seen_at), entry.seen_at)
    return first


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _not_held(missing: Sequence[str], where: str = "") -> str:
    are = "is" if len(missing) == 1 else "are"
    return f"series {', '.join(missing)} {are} not in the store{where}: {how_to_get(missing)}"


def how_to_get(missing: Sequence[str]) -> str:
    """Say how series come into a store: from their provider where one is known, from files, or simulated."""
    universe = load_universe()
    specs = {name: universe.find(name) for name in missing}
    served = [f"--series {name}" for name, spec in specs.items() if spec is not None and spec.source != "file"]
    fetch = f"`engine data fetch {' '.join(served)}` asks the providers, " if served else ""
    return f"{fetch}`engine data import FILE` adds files, `engine data demo` fills a store with a simulated market"


def _quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _array(column: pl.Series) -> NDArray[np.float64]:
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64, copy=True)
    values.flags.writeable = False
    return values


def _cut(frame: pl.DataFrame, sample: Sample, complete: Sequence[str]) -> pl.DataFrame:
    """Drop the rows after the sample and, unless it is warm-up, before it."""
    traded = frame.filter(pl.all_horizontal(pl.col(list(complete)).is_not_null())) if complete else frame
    if traded.is_empty():
        message = f"no session has a value for all of {', '.join(complete)}: see `engine data status`"
        raise PanelError(message)
    first, last = traded["date"][0], traded["date"][-1]
    wanted_first, wanted_last = sample.first or first, sample.last or last
    inside = frame.filter(pl.col("date").is_between(wanted_first, wanted_last))
    if inside.is_empty():
        message = (
            f"the sample {wanted_first}..{wanted_last} holds no session with data: the store has {first}..{last}; "
            "change first and last in [sample]"
        )
        raise PanelError(message)
    if sample.warmup == "before" and sample.first is not None:
        return frame.filter(pl.col("date") <= wanted_last)
    return inside


def _check_complete(frame: pl.DataFrame, sample: Sample, complete: Sequence[str]) -> None:
    inside = frame if sample.first is None else frame.filter(pl.col("date") >= sample.first)
    for name in complete:
        missing = inside.filter(pl.col(name).is_null())["date"]
        if len(missing):
            message = (
                f"{name} has no price on {len(missing)} sessions of the sample, the first {missing[0]}: "
                "it is traded, so import the missing days or shorten [sample]"
            )
            raise PanelError(message)
