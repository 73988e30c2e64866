"""The simulated and the real market as every study reads them, loaded once for all tests of this folder."""

from datetime import date

import pytest

from engine.panel import Sample
from engine.studies import History, Market, load_market, load_periods
from parquet_store import Store, load_universe

PUBLISHED_SAMPLE = Sample(date(2018, 1, 2), date(2026, 3, 6))


def _everything(store: Store) -> Market:
    universe = load_universe()
    mornings = [f"{spec.name}@next_morning" for spec in universe.series if spec.known == "next_session_morning"]
    return load_market(store, (), load_periods(), optional=[*(spec.name for spec in universe.series), *mornings])


@pytest.fixture(scope="session")
def simulated_market(simulated_store: Store) -> Market:
    return _everything(simulated_store)


@pytest.fixture(scope="session")
def real_market(real_store: Store) -> Market:
    """Skips the test where the real data are absent."""
    return _everything(real_store)


@pytest.fixture(scope="session")
def simulated_history(simulated_market: Market) -> History:
    """The simulated market over the documents' sample."""
    return simulated_market.history(PUBLISHED_SAMPLE)


@pytest.fixture(scope="session")
def real_history(real_market: Market) -> History:
    """The real market over the documents' sample."""
    return real_market.history(PUBLISHED_SAMPLE)


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def history(request: pytest.FixtureRequest) -> History:
    """Each of the two."""
    found: History = request.getfixturevalue(f"{request.param}_history")
    return found
