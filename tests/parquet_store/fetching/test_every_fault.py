"""Every mode of fault at every request of a full fetch, one after another.

Whatever goes wrong, the store reads as before or as after, series by series; a plain re-run finishes the work; and what
happened is said. By default each mode is tried at one request of one kind of fetch; with ``--thorough`` at all of them.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from parquet_store import open_store
from tests.conftest import faults_tried
from tests.parquet_store.fetching.conftest import evening_fetch, pace_for
from tests.parquet_store.fetching.made_up_market import LAST, days_before, market
from tests.parquet_store.fetching.replay_server import KEY, MODES, PASSING, Fault, Replay
from tests.parquet_store.fetching.stored import Rows, each_row_is_in, lacks_none_of, of_series, same, stored

SERIES = ("FUND", "COIN-USD", "FEAR", "SPREAD", "JOBLESS")
KINDS = ("first", "daily", "completing", "with key")

ALWAYS = 4
"""As often as a question is asked."""


@dataclass(frozen=True)
class Attempt:
    """A fetch that is going to be disturbed: where it starts from, and what it asks.

    Attributes
    ----------
    kind
        ``first``: into an empty store. ``daily``: ten sessions later. ``completing``: into histories that were cut
        short, whose beginning is asked for too. ``with key``: as the first one, by FRED's API.
    """

    kind: str
    key: bool
    before: Rows
    after: Rows
    requests: tuple[str, ...]


def start(kind: str, replay: Replay, root) -> None:
    """Make the store from which an attempt of a kind starts."""
    store = open_store(root, create=True)
    if kind == "daily":
        replay.until = days_before(LAST, 10)
    if kind == "completing":
        replay.faults = [Fault("three_years", times=len(SERIES))]
    if kind in ("daily", "completing"):
        evening_fetch(replay, store)
    replay.until, replay.faults = LAST, []


@pytest.fixture(scope="module", params=KINDS)
def attempt(request, served, tmp_path_factory) -> Iterator[tuple[Attempt, object]]:
    kind = request.param
    served.market, served.until, served.faults = market(), LAST, []
    folder = tmp_path_factory.mktemp("attempt")
    with pytest.MonkeyPatch.context() as environment:
        if kind == "with key":
            environment.setenv("FRED_API_KEY", KEY)
        start(kind, served, folder / "start")
        shutil.copytree(folder / "start", folder / "finished")
        served.log = []
        evening_fetch(served, open_store(folder / "finished"))
        requests = tuple(sorted({path.partition("&crumb=")[0] for path in served.log}))
        before, after = (stored(open_store(folder / name)) for name in ("start", "finished"))
        yield Attempt(kind, kind == "with key", before, after, requests), folder


def disturbances(kind: str, requests: tuple[str, ...], *, thorough: bool) -> list[tuple[str, str, int]]:
    """Return mode, request and how often it is disturbed: all there are, or one of each mode that falls to the kind."""
    chosen = []
    for number, mode in enumerate(MODES):
        often = (1, ALWAYS) if mode in PASSING else (1,)
        all_of_mode = [(mode, request, times) for request in requests for times in often]
        falls_here = KINDS[number % len(KINDS)] == kind
        chosen += all_of_mode if thorough else all_of_mode[number % len(all_of_mode) :][: int(falls_here)]
    return chosen


def test_a_fault_at_each_request(attempt, served, tmp_path, request):
    one, folder = attempt
    assert len(one.requests) >= len(SERIES)
    thorough = request.config.getoption("--thorough")
    for number, (mode, asked, times) in enumerate(disturbances(one.kind, one.requests, thorough=thorough)):
        root = tmp_path / str(number)
        shutil.copytree(folder / "start", root)
        served.faults = [Fault(mode, asked, times)]
        report = evening_fetch(served, open_store(root), pace=pace_for(mode))
        assert served.faults[0].times < times
        _check(one, asked, mode, times, report, stored(open_store(root)))
        served.faults = []
        # A revision of old days is beyond what a daily run asks for again.
        again = evening_fetch(served, open_store(root), refresh=mode == "revised")
        assert again.failed == (), again.series["message"].to_list()
        assert same(stored(open_store(root)), one.after)
        faults_tried(request.config)[f"made-up market, {one.kind} fetch", mode] += 1
        shutil.rmtree(root)


def _check(one: Attempt, asked: str, mode: str, times: int, report, found: Rows) -> None:
    """Check what a disturbed fetch has left and said."""
    (hit,) = [name for name in SERIES if name in asked] or ("",)
    assert set(report.failed) <= {hit}, report.series["message"].to_list()
    for series in SERIES:
        mine = of_series(found, series)
        if series != hit:
            assert same(mine, of_series(one.after, series))
        elif mode == "revised":
            assert lacks_none_of(mine, of_series(one.before, series))
        elif series in report.failed:
            assert same(mine, of_series(one.before, series))
        else:
            assert each_row_is_in(mine, one.after)
            assert lacks_none_of(mine, of_series(one.before, series))
    if mode in PASSING:
        assert report.failed == ((hit,) if times == ALWAYS and hit else ())
    for series in report.failed:
        assert report.series.filter(series=series)["message"][0]


def test_the_sample_leaves_no_mode_out() -> None:
    requests = tuple(map(str, range(7)))
    sampled = [each for kind in KINDS for each in disturbances(kind, requests, thorough=False)]
    assert sorted(mode for mode, *_ in sampled) == sorted(MODES)
    assert len({request for _, request, _ in sampled}) > 4
    thorough = disturbances("first", requests, thorough=True)
    assert len(thorough) == len(requests) * (len(MODES) + len(PASSING))
