"""What can be wrong with an audit's request."""

from parquet_store.errors import EngineError

__all__ = ["AuditError"]


class AuditError(EngineError):
    """The audit cannot be run as asked."""
