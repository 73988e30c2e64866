"""What a study reads: aligned series of a sample, the same series on their own calendars, and the periods.

`load_market` reads the store once; `Market.history` cuts a sample out of it, so that many studies on several samples
cost one reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import NEXT_MORNING, Panel, PanelError, Sample, connected, load_panel
from engine.studies.errors import StudyError
from engine.studies.periods import Period
from kernels import rate_of_change
from parquet_store import Store

if TYPE_CHECKING:
    import duckdb

__all__ = ["History", "Market", "load_market"]

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class History:
    """The history that a study looks at.

    Attributes
    ----------
    panel
        Aligned series: row t is what was known at the close of session t. With warm-up inside the sample it begins with
        the sample; otherwise ``panel.start`` is the sample's first row.
    observations
        Every series on its own calendar: ``date``, ``value``, ``known_at``, ascending; prices as total-return indices,
        weekend rows of exchange and bond series dropped. Cut to the sample's days, warm-up as in the panel.
    sample
        The sample as it is found in the data: ``first`` and ``last`` are sessions.
    periods
        The episodes of stress that lie wholly inside the sample.
    calm_periods
        The other named periods inside it.
    """

    panel: Panel
    observations: Mapping[str, pl.DataFrame]
    sample: Sample
    periods: tuple[Period, ...]
    calm_periods: tuple[Period, ...] = ()

    @property
    def dates(self) -> Days:
        """Sessions of the sample, ``datetime64[D]``."""
        return self.panel.sample_dates

    def holds(self, series: str) -> bool:
        """Tell whether the history has a series, which is only in doubt for optional ones."""
        return series in self.panel.columns

    def inside(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Rows of the sample of something computed over the panel: the warm-up is cut off."""
        return values[self.panel.start :]

    def closes(self, series: str) -> Floats:
        """A series over the sessions of the sample; NaN where nothing was known."""
        return self.panel.values(series)[self.panel.start :]

    def complete_closes(self, series: str) -> Floats:
        """A series over the sessions of the sample, each of which has a value.

        Raises
        ------
        StudyError
            Some have none.
        """
        closes = self.closes(series)
        missing = self.dates[np.isnan(closes)]
        if len(missing):
            message = (
                f"{series} has no close on {len(missing)} sessions of {self.sample.first}..{self.sample.last}, the "
                f"first {missing[0]}: choose a sample that it covers"
            )
            raise StudyError(message)
        return closes

    def returns(self, series: str) -> Floats:
        """Simple returns from close to close over the sample; NaN in its first row, whatever was before."""
        return rate_of_change(self.closes(series), 1)

    def own_calendar(self, series: str) -> tuple[Days, Floats]:
        """Days and values of a series on its own calendar, the sample's days only: bitcoin's seven-day week."""
        frame = self.observations[series].filter(pl.col("date").is_between(self.sample.first, self.sample.last))
        return frame["date"].to_numpy().astype("datetime64[D]"), frame["value"].to_numpy()

    def panel_with(self, **roles: str) -> Panel:
        """Return the panel with series under the names by which conditions know them: ``panel_with(VIX="VXN")``.

        Raises
        ------
        PanelError
            A series was not loaded.
        """
        if all(series == role for role, series in roles.items()):
            return self.panel
        columns = {**self.panel.columns, **{role: self.panel.values(series) for role, series in roles.items()}}
        return replace(self.panel, columns=MappingProxyType(columns), _indicators={})


@dataclass(frozen=True)
class Market:
    """All that some studies read, as of one moment.

    Attributes
    ----------
    panel
        All sessions of the store.
    observations
        As in `History`, uncut.
    periods
        All episodes.
    """

    panel: Panel
    observations: Mapping[str, pl.DataFrame]
    periods: tuple[Period, ...]
    _histories: dict[Sample, History] = field(default_factory=dict, repr=False, compare=False)

    def missing(self, series: Sequence[str]) -> tuple[str, ...]:
        """Those of some series that the store does not hold, without repetition."""
        names = dict.fromkeys(name.removesuffix(NEXT_MORNING) for name in series)
        return tuple(name for name in names if name not in self.panel.columns)

    def history(self, sample: Sample) -> History:
        """Cut a sample out; an open end, or one outside the data, is that of the data.

        Raises
        ------
        PanelError
            The sample holds no session.
        """
        if sample not in self._histories:
            self._histories[sample] = self._cut(sample)
        return self._histories[sample]

    def _cut(self, sample: Sample) -> History:
        days = self.panel.dates
        begin = 0 if sample.first is None else int(np.searchsorted(days, np.datetime64(sample.first)))
        end = len(days) if sample.last is None else int(np.searchsorted(days, np.datetime64(sample.last), "right"))
        if begin >= end:
            message = (
                f"the sample {sample.first or '…'}..{sample.last or '…'} holds no session with data: the store has "
                f"{days[0]}..{days[-1]}; choose first and last within"
            )
            raise PanelError(message)
        first, last = days[begin].item(), days[end - 1].item()
        cut = slice(begin if sample.warmup == "inside" else 0, end)
        columns = {name: values[cut] for name, values in self.panel.columns.items()}
        panel = replace(
            self.panel,
            dates=days[cut],
            columns=MappingProxyType(columns),
            start=begin - (cut.start or 0),
            _indicators={},
        )
        earliest = first if sample.warmup == "inside" else date.min
        observations = {
            name: frame.filter(pl.col("date").is_between(earliest, last)) for name, frame in self.observations.items()
        }
        inside = [period for period in self.periods if first <= period.first and period.last <= last]
        stress, calm = (tuple(period for period in inside if period.stress is wanted) for wanted in (True, False))
        return History(panel, MappingProxyType(observations), Sample(first, last, sample.warmup), stress, calm)


def load_market(
    store: Store,
    series: Sequence[str],
    periods: tuple[Period, ...],
    *,
    optional: Sequence[str] = (),
    as_of: datetime | None = None,
) -> Market:
    """Read series from the store, aligned and on their own calendars.

    Parameters
    ----------
    series
        Names as in the universe; with `engine.panel.NEXT_MORNING` after a name the panel has the value that is known on
        the next morning.
    periods
        From `engine.studies.periods.load_periods`.
    optional
        Series that are added where the store holds them.
    as_of
        Use only what had been stored by this moment.

    Raises
    ------
    PanelError
        A series is not in the store; the message says which and how to get it.
    """
    with connected(store, as_of, None) as connection:
        panel = load_panel(
            store, _plain_too(series), Sample(), optional=_plain_too(optional), as_of=as_of, connection=connection
        )
        plain = [name for name in panel.columns if not name.endswith(NEXT_MORNING)]
        return Market(panel, _observations(connection, plain), periods)


def _plain_too(series: Iterable[str]) -> tuple[str, ...]:
    """Series, and those of the next morning also as they are known at the close, without repetition."""
    names = tuple(series)
    return tuple(dict.fromkeys((*(name.removesuffix(NEXT_MORNING) for name in names), *names)))


def _observations(connection: "duckdb.DuckDBPyConnection", names: list[str]) -> Mapping[str, pl.DataFrame]:
    rows = connection.sql(
        """
        SELECT series, date, value, known_at
        FROM (
            SELECT symbol AS series, date, close AS value, known_at FROM adjusted
            UNION ALL
            SELECT series, date, value, known_at FROM macro
        )
        JOIN (SELECT series, calendar FROM series) USING (series)
        WHERE list_contains($names, series) AND (calendar NOT IN ('nyse', 'bond') OR isodow(date) <= 5)
        ORDER BY series, date
        """,
        params={"names": names},
    ).pl()
    parts = rows.partition_by("series", as_dict=True, include_key=False)
    return MappingProxyType({str(name): frame for (name,), frame in parts.items()})
