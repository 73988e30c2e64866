"""Small files of bars, made by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

OPENING = datetime(2023, 12, 28, 14, 31, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")


def bars(closes: Mapping[tuple[str, int], float]) -> pl.DataFrame:
    """Return bars: a close by symbol and number of hours after the opening of a Thursday before the end of a year."""
    close = list(closes.values())
    return pl.DataFrame(
        {
            "symbol": [symbol for symbol, _ in closes],
            "moment": [OPENING + timedelta(hours=hours) for _, hours in closes],
            "open": close,
            "high": [value + 1.0 for value in close],
            "low": [value / 2 for value in close],
            "close": close,
            "volume": 100.0,
        },
        schema_overrides={"symbol": pl.String, "moment": MOMENT, "close": pl.Float64, "open": pl.Float64},
    )


def walk(symbols: str = "AB", count: int = 300) -> pl.DataFrame:
    """Return bars of some symbols over some hours, across the end of the year, by symbol."""
    return bars({(symbol, hour): 100.0 + (hour * 7 + ord(symbol)) % 13 for symbol in symbols for hour in range(count)})


def write(folder: Path, frame: pl.DataFrame, name: str = "bars.parquet") -> Path:
    folder.mkdir(exist_ok=True)
    frame.write_parquet(folder / name)
    return folder / name
