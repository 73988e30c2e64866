"""Faults at random, over several days: no row is ever wrong, none is ever lost, and a clean run finishes the work."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parquet_store import open_store
from tests.parquet_store.fetching.made_up_market import LAST, days_before
from tests.parquet_store.fetching.replay_server import MODES, Fault
from tests.parquet_store.fetching.stored import each_row_is_in, lacks_none_of, same, stored

SLOW = {"hang"}

FAULTS = st.builds(
    Fault,
    mode=st.sampled_from([mode for mode in MODES if mode not in SLOW | {"revised"}]),
    match=st.sampled_from(["", "FUND", "COIN-USD", "FEAR", "SPREAD", "JOBLESS", "cosd", "period1"]),
    times=st.integers(1, 6),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.tuples(st.integers(0, 30), st.lists(FAULTS, max_size=4), st.booleans()), max_size=4))
def test_any_faults_on_any_days(replay, fetch_until, days):
    replay.faults = []
    replay.until = LAST
    with TemporaryDirectory() as folder:
        whole = open_store(Path(folder) / "whole", create=True)
        fetch_until(whole)
        after = stored(whole)
        store = open_store(Path(folder) / "store", create=True)
        earlier = stored(store)
        for back, faults, refresh in sorted(days, key=lambda day: -day[0]):
            replay.until, replay.faults = days_before(LAST, back), list(faults)
            fetch_until(store, refresh=refresh)
            found = stored(store)
            assert each_row_is_in(found, after)
            assert lacks_none_of(found, earlier)
            earlier = found
        replay.until, replay.faults = LAST, []
        fetch_until(store)
        assert same(stored(store), after)
