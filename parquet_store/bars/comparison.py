"""Which bars of a piece are new, told only where files share its symbol and days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from parquet_store.bars.pieces import Piece
from parquet_store.manifest import FileEntry
from parquet_store.quarantine import REASON
from parquet_store.reader import latest_rows
from parquet_store.schema import SCHEMAS

__all__ = ["Compared", "compare"]

_VALUES = ("open", "high", "low", "close", "volume")
_HELD = "__held_"
_STATE = "__state"
_CONFLICT = "an earlier bar of the same import has the same moment and other values"

_Files = tuple[Sequence[Path], Sequence[FileEntry]]


@dataclass(frozen=True)
class Compared:
    """A piece after the comparison.

    Attributes
    ----------
    symbol
        Its symbol.
    rows
        The bars to write: moment and values.
    conflicting
        Bars that contradict another one of the same import, with `REASON`; of the two the first counts.
    counts
        How many bars are ``new``, ``revised`` and ``unchanged``.
    """

    symbol: str
    rows: pl.DataFrame
    conflicting: pl.DataFrame
    counts: Mapping[str, int]

    def without_rows(self) -> "Compared":
        """Return the same without the bars to write, which take memory."""
        return replace(self, rows=self.rows.clear())


def compare(piece: Piece, *, of_store: _Files, of_import: _Files) -> Compared:
    """Return what of a piece is to be written.

    Parameters
    ----------
    of_store, of_import
        The files that share the piece's symbol and days: those the store lists, and those the same import has staged
        before. Where there are none, nothing is read.
    """
    rows, repeated = _without_repetitions(piece)
    conflicts = [repeated.filter(~pl.col(_STATE))]
    unchanged = repeated.height - conflicts[0].height
    if of_import[1]:
        judged = _against(rows, of_import)
        conflicts.append(judged.filter(pl.col(_STATE) == "revised"))
        unchanged += judged.filter(pl.col(_STATE) == "unchanged").height
        rows = judged.filter(pl.col(_STATE) == "new").drop(_STATE)
    revised = 0
    if of_store[1]:
        judged = _against(rows, of_store)
        unchanged += judged.filter(pl.col(_STATE) == "unchanged").height
        revised = judged.filter(pl.col(_STATE) == "revised").height
        rows = judged.filter(pl.col(_STATE) != "unchanged").drop(_STATE)
    conflicting = pl.concat([each.drop(_STATE) for each in conflicts]).select(
        pl.lit(piece.symbol).alias("symbol"), pl.all(), pl.lit(_CONFLICT).alias(REASON)
    )
    return Compared(
        piece.symbol, rows, conflicting, {"new": rows.height - revised, "revised": revised, "unchanged": unchanged}
    )


def _without_repetitions(piece: Piece) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the first bar of each moment, and the others with whether they say the same."""
    repeated = (piece.rows["moment"].diff().dt.total_microseconds() == 0).fill_null(value=False)
    if not repeated.any():
        return piece.rows, piece.rows.clear().with_columns(pl.lit(value=True).alias(_STATE))
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).first().over("moment")) for name in _VALUES)
    return piece.rows.filter(~repeated), piece.rows.with_columns(same.alias(_STATE)).filter(repeated)


def _against(rows: pl.DataFrame, files: _Files) -> pl.DataFrame:
    """Return the bars, with the volume held where they have none, and their state."""
    held = latest_rows(files[0], files[1], SCHEMAS["bars"]).select(
        "moment", *(pl.col(name).alias(_HELD + name) for name in _VALUES)
    )
    joined = rows.join(held.collect(engine="in-memory"), on="moment", how="left", maintain_order="left")
    completed = joined.with_columns(pl.coalesce("volume", _HELD + "volume"))
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(_HELD + name)) for name in _VALUES)
    state = pl.when(pl.col(_HELD + "close").is_null()).then(pl.lit("new")).when(same).then(pl.lit("unchanged"))
    return completed.select(*rows.columns, state.otherwise(pl.lit("revised")).alias(_STATE))
