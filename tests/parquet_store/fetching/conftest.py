"""A replay server with the made-up market, and fetches from it that never wait."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time

import pytest

from parquet_store import Store
from parquet_store.fetching import FetchReport, Pace, fetch
from tests.parquet_store.fetching.made_up_market import market, universe
from tests.parquet_store.fetching.replay_server import Replay, replaying

NO_WAITING = Pace(timeout=0.4, sleep=lambda _: None, jitter=lambda low, _: low)

Fetch = Callable[..., FetchReport]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """Serve the made-up market on every provider's address."""
    with replaying(market()) as state:
        for name in ("FRED", "YAHOO", "CBOE"):
            monkeypatch.setenv(f"ENGINE_{name}_URL", state.base)
        monkeypatch.delenv("FRED_API_KEY", raising=False)
        yield state


@pytest.fixture
def fetch_until(replay: Replay) -> Fetch:
    """Fetch as on the evening of the last day that the server knows."""

    def run(store: Store, **options: object) -> FetchReport:
        evening = datetime.combine(replay.until, time(23, 30), UTC)
        settings = {"universe": universe(), "now": evening, "pace": NO_WAITING, **options}
        return fetch(store, **settings)

    return run
