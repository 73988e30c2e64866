"""SQL over the store: views, as-of macros, and connections that can do nothing but read it."""

from sql.catalog import VIEWS
from sql.connection import connect
from sql.errors import SqlError

__all__ = ["VIEWS", "SqlError", "connect"]
