"""Bars as they come, gathered into pieces that are worth a file: one symbol, one year, whole days."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import polars as pl

__all__ = ["Piece", "PieceBuffer"]

_YEAR = "__year"


@dataclass(frozen=True)
class Piece:
    """Bars of one symbol in one year, ascending by moment; of equal moments the one that came first stands first.

    Attributes
    ----------
    symbol
        The symbol; the frame has no such column.
    rows
        The bars.
    first, last
        Their days in UTC.
    """

    symbol: str
    rows: pl.DataFrame
    first: date
    last: date


@dataclass
class PieceBuffer:
    """Gathers bars until they are pieces, within a limit of rows.

    Files sorted by symbol, and files sorted by moment, end in pieces that share no day, so that no two files of a store
    can hold the same bar. Files in another order end in more and overlapping pieces.

    Attributes
    ----------
    limit
        How many bars are held before some are given away.
    """

    limit: int
    _held: dict[tuple[str, int], list[pl.DataFrame]] = field(default_factory=dict)
    _rows: int = 0

    def add(self, slab: pl.DataFrame) -> Iterator[Piece]:
        """Take bars in, and yield the pieces that are complete or for which there is no room."""
        parts = slab.with_columns(pl.col("moment").dt.year().alias(_YEAR)).partition_by(
            "symbol", _YEAR, as_dict=True, include_key=False, maintain_order=True
        )
        untouched = self._held.keys() - parts.keys()
        for (symbol, year), rows in parts.items():
            self._held.setdefault((str(symbol), int(str(year))), []).append(rows)
        self._rows += slab.height
        if self._rows > self.limit // 2:
            # Whatever the order of a file, what it has left behind will seldom be touched again.
            yield from (self._taken(key) for key in sorted(untouched))
        if self._rows > self.limit:
            yield from self._whole_days()

    def rest(self) -> Iterator[Piece]:
        """Yield everything that is still held."""
        yield from (self._taken(key) for key in sorted(self._held))

    def _taken(self, key: tuple[str, int]) -> Piece:
        rows = _ascending(self._held.pop(key))
        self._rows -= rows.height
        return _piece(key[0], rows)

    def _whole_days(self) -> Iterator[Piece]:
        """Yield all but the last day of each symbol, of which more may come."""
        for key in sorted(self._held):
            rows = _ascending(self._held[key])
            day = rows["moment"].dt.date()
            begun = int(day.search_sorted(day[-1]))
            self._held[key] = [rows[begun:].clone()]
            if begun:
                self._rows -= begun
                yield _piece(key[0], rows[:begun])


def _ascending(frames: list[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat(frames, rechunk=True)
    return rows if rows["moment"].is_sorted() else rows.sort("moment", maintain_order=True)


def _piece(symbol: str, rows: pl.DataFrame) -> Piece:
    days = rows["moment"].gather([0, -1]).dt.date()
    return Piece(symbol, rows, days[0], days[1])
