"""Fresh processes for the tests that kill one, or that let several meet."""

import multiprocessing
from multiprocessing.context import ForkServerContext

import pytest

_IMPORTED = (
    *("holidays.financial.ny_stock_exchange", "pyarrow.parquet", "requests"),
    *("parquet_store.bars", "parquet_store.compaction", "parquet_store.fetching", "parquet_store.importing"),
    *("tests.parquet_store.test_store_crash", "tests.parquet_store.test_store_concurrency"),
    *("tests.parquet_store.test_store_disk_faults", "tests.parquet_store.bars.test_bars_crash"),
    *("tests.parquet_store.compaction.test_compaction", "tests.parquet_store.fetching.test_fetch_crash"),
)
"""What a child needs. It is imported once, by the server from which all children are forked: a few hundred of them are
killed, and the imports would take most of their time."""


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Return a source of fresh processes that have the store imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context
