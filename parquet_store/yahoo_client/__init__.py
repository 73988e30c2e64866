"""Yahoo by yfinance's client, in a process of its own: it takes longer to import than all else that a fetch does.

It is imported there while the store is read here. This package imports neither Polars nor anything else of the store,
so that a command can start the process before all else.
"""

from parquet_store.yahoo_client.process import Came, ClientFault, ask, connect, end, start

__all__ = ["Came", "ClientFault", "ask", "connect", "end", "start"]
