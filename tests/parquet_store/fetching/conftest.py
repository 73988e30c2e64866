"""A replay server with the made-up market, and fetches from it that never wait."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from parquet_store import Store, open_store
from parquet_store.fetching import FetchReport, Pace, fetch
from tests.parquet_store.fetching.made_up_market import LAST, days_before, market, universe
from tests.parquet_store.fetching.replay_server import Replay, replaying

NO_WAITING = Pace(sleep=lambda _: None, jitter=lambda low, _: low)


def pace_for(mode: str) -> Pace:
    """Return a pace that is soon tired of an answer that never comes; on a busy machine a real one may take a while."""
    return replace(NO_WAITING, timeout=1.0) if mode == "hang" else NO_WAITING


Fetch = Callable[..., FetchReport]


@pytest.fixture(scope="session")
def served() -> Iterator[Replay]:
    """Serve on every provider's address; without a key."""
    with replaying(market()) as state, pytest.MonkeyPatch.context() as environment:
        for name in ("FRED", "YAHOO", "CBOE"):
            environment.setenv(f"ENGINE_{name}_URL", state.base)
        environment.delenv("FRED_API_KEY", raising=False)
        yield state


@pytest.fixture
def replay(served: Replay) -> Replay:
    """Serve the whole made-up market without faults."""
    served.market, served.until, served.faults, served.log = market(), LAST, [], []
    return served


@pytest.fixture
def fetch_until(replay: Replay) -> Fetch:
    """Fetch as on the evening of the last day that the server knows."""
    return lambda store, **options: evening_fetch(replay, store, **options)


def evening_fetch(replay: Replay, store: Store, **options: object) -> FetchReport:
    evening = datetime.combine(replay.until, time(23, 30), UTC)
    settings = {"universe": universe(), "now": evening, "pace": NO_WAITING, **options}
    return fetch(store, **settings)


@pytest.fixture(scope="session")
def fetched(served: Replay, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two stores that tests copy: one that lacks the last ten sessions, and one that lacks nothing."""
    folder = tmp_path_factory.mktemp("fetched")
    served.market, served.faults = market(), []
    for name, until in (("old", days_before(LAST, 10)), ("whole", LAST)):
        served.until = until
        evening_fetch(served, open_store(folder / name, create=True))
    return folder / "old", folder / "whole"
