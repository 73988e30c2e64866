"""The session calendar as a table that is computed when a query first reads it, not when a connection is made."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from parquet_store import sessions
from parquet_store.calendar import EARLIEST

__all__ = ["SessionCalendar"]


@dataclass(frozen=True)
class SessionCalendar:
    """Sessions of the New York Stock Exchange, read by DuckDB through the Arrow interface.

    Attributes
    ----------
    first, last
        The range of dates, both included; None: no session.
    """

    first: date | None
    last: date | None

    def __arrow_c_schema__(self) -> object:
        """Return the columns: ``date`` and ``close_at`` (UTC)."""
        return pl.Schema({"date": pl.Date(), "close_at": pl.Datetime("us", "UTC")}).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Compute the sessions and return them as an Arrow stream."""
        if self.first is None or self.last is None:
            return sessions(EARLIEST, EARLIEST).clear().__arrow_c_stream__(requested_schema)
        return sessions(max(self.first, EARLIEST), self.last).__arrow_c_stream__(requested_schema)
