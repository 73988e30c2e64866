"""Intraday bars: a large table that comes in as a stream and is kept in one file a symbol and year."""

from parquet_store.bars.importer import BarReport, import_bars

__all__ = ["BarReport", "import_bars"]
