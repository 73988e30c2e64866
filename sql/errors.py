"""The error of this package."""

from parquet_store import EngineError

__all__ = ["SqlError"]


class SqlError(EngineError):
    """A statement that is wrong or not allowed; the message is for the person who wrote it."""
