"""What goes wrong in a study."""

from parquet_store.errors import EngineError

__all__ = ["StudyError"]


class StudyError(EngineError):
    """A study cannot be run as asked, or one of its files cannot be read."""
