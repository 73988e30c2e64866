"""Simulated minute bars of many symbols as Parquet files: what a user would bring."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

SYMBOLS = 128
MINUTES = 390
_FILES = 4
_OPENING = np.timedelta64(14 * 60 + 31, "m")
_FIRST = np.datetime64("2017-01-02")


def symbol(number: int) -> str:
    return f"S{number:03d}"


def moments(bars: int) -> np.ndarray:
    """Return the ends of minutes of as many business days as the bars of a symbol need."""
    days = bars // MINUTES + 1
    calendar = np.arange(_FIRST, _FIRST + 2 * days + 7)
    sessions = calendar[np.is_busday(calendar)][:days]
    minutes = sessions[:, None].astype("datetime64[m]") + _OPENING + np.arange(MINUTES)
    return minutes.ravel()[:bars].astype("datetime64[us]")


def simulated_bars(number: int, ends: np.ndarray) -> pl.DataFrame:
    """Return a symbol's bars: a random walk in cents."""
    generator = np.random.default_rng(number)
    close = np.maximum(np.round(100 + np.cumsum(np.round(generator.normal(0, 0.02, ends.size), 2)), 2), 1.0)
    opening = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opening, close) + np.round(generator.exponential(0.01, ends.size), 2)
    low = np.maximum(np.minimum(opening, close) - np.round(generator.exponential(0.01, ends.size), 2), 0.01)
    return pl.DataFrame(
        {
            "symbol": pl.Series([symbol(number)], dtype=pl.String).new_from_index(0, ends.size),
            "moment": pl.Series(ends).dt.replace_time_zone("UTC"),
            "open": opening,
            "high": np.round(high, 2),
            "low": np.round(low, 2),
            "close": close,
            "volume": generator.integers(100, 20_000, ends.size).astype(np.float64),
        }
    )


def write_bars(folder: Path, bars: int) -> None:
    """Write about so many bars, by symbol and moment, in four files."""
    folder.mkdir()
    ends = moments(bars // SYMBOLS)
    a_file = SYMBOLS // _FILES
    for number in range(_FILES):
        symbols = range(number * a_file, (number + 1) * a_file)
        _write(folder / f"part{number}.parquet", (simulated_bars(each, ends) for each in symbols))


def write_bars_by_moment(folder: Path, source: Path) -> None:
    """Write the bars of a folder again, sorted by moment, a month at a time: the order in which a feed records."""
    folder.mkdir()
    scanned = pl.scan_parquet(source / "*.parquet")
    months = scanned.select(pl.col("moment").dt.truncate("1mo").unique().sort()).collect()["moment"]
    parts = (
        scanned.filter(pl.col("moment").dt.truncate("1mo") == month).sort("moment", "symbol").collect()
        for month in months
    )
    _write(folder / "all.parquet", parts)


def _write(path: Path, frames: Iterable[pl.DataFrame]) -> None:
    writer = None
    for frame in frames:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=122_880)
    if writer:
        writer.close()
