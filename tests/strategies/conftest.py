"""Stores with the simulated and with the real market, for strategies that read published spreads."""

import pytest

from parquet_store import Store, import_files, open_store
from tests.real_data import REAL_DATA


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the real daily data; the test is skipped where they are absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real market data at {REAL_DATA}")
    store = open_store(tmp_path_factory.mktemp("real") / "store", create=True)
    import_files(store, [REAL_DATA])
    return store


@pytest.fixture(scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def market_store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store
