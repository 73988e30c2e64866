"""Small stores, written with the real append, for tests of what SQL makes of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from parquet_store import Store, append, known_at, load_universe, open_store

SEEN = datetime(2024, 12, 31, tzinfo=UTC)
LATER = datetime(2025, 1, 31, tzinfo=UTC)

UNIVERSE = load_universe()


def day(text: str) -> date:
    """Return the date of an ISO text."""
    return date.fromisoformat(text)


def new_store(root: Path) -> Store:
    """Return an empty store."""
    return open_store(root / "store", create=True)


def price_rows(symbol: str, closes: Mapping[str, float], basis: str | None = None) -> pl.DataFrame:
    """Return price rows of one symbol: ISO date to close; the other prices are the close, plus or minus one."""
    found = UNIVERSE.find(symbol)
    spec = found if found is not None and found.kind == "price" else UNIVERSE["SPY"]
    dates = pl.Series("date", [day(text) for text in closes], dtype=pl.Date)
    close = pl.Series("close", list(closes.values()), dtype=pl.Float64)
    return pl.DataFrame({"date": dates, "close": close, "known_at": known_at(spec, dates)}).with_columns(
        symbol=pl.lit(symbol),
        open=pl.col("close"),
        high=pl.col("close") + 1.0,
        low=pl.col("close"),
        volume=pl.lit(100.0),
        basis=pl.lit(basis or spec.basis),
        source=pl.lit("test"),
    )


def macro_rows(series: str, values: Mapping[str, float]) -> pl.DataFrame:
    """Return rows of one macro series: ISO date to value."""
    spec = UNIVERSE[series]
    dates = pl.Series("date", [day(text) for text in values], dtype=pl.Date)
    value = pl.Series("value", list(values.values()), dtype=pl.Float64)
    return pl.DataFrame({"date": dates, "value": value, "known_at": known_at(spec, dates)}).with_columns(
        series=pl.lit(series), unit=pl.lit(spec.unit), source=pl.lit("test")
    )


def dividend_rows(symbol: str, dividends: Mapping[str, float]) -> pl.DataFrame:
    """Return dividends of one symbol: ISO ex-date to USD a share."""
    dates = pl.Series("date", [day(text) for text in dividends], dtype=pl.Date)
    value = pl.Series("value", list(dividends.values()), dtype=pl.Float64)
    return pl.DataFrame({"date": dates, "value": value, "known_at": known_at(UNIVERSE["SPY"], dates)}).with_columns(
        symbol=pl.lit(symbol), kind=pl.lit("dividend"), source=pl.lit("test")
    )


def add(store: Store, table: str, rows: pl.DataFrame, seen_at: datetime = SEEN) -> None:
    """Append rows."""
    append(store, table, rows, seen_at=seen_at)
