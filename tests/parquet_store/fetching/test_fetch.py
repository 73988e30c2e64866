"""A fetch against the replay server: what comes in, what is asked again, and what the report says."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from parquet_store import EngineError, StoreError, open_store, read_manifest, scan
from parquet_store.fetching import plan
from parquet_store.fetching.raw_archive import kept_answers, kept_fetches, moment_of
from parquet_store.simulation import write_simulated
from tests.parquet_store.fetching.made_up_market import FIRST, LAST, days_before, universe
from tests.parquet_store.fetching.replay_server import KEY, Fault, rebased
from tests.parquet_store.fetching.stored import same, stored

FETCHED = ["FUND", "COIN-USD", "FEAR", "SPREAD", "JOBLESS"]


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store", create=True)


def states(report) -> dict[str, str]:
    return dict(report.series.select("series", "state").rows())


def test_first_fetch_brings_in_everything_in_one_change(store, replay, fetch_until):
    report = fetch_until(store)
    assert states(report) == dict.fromkeys(FETCHED, "ok")
    assert report.not_fetched == ("LICENSED",)
    assert read_manifest(store).generation == 1
    for name, values in replay.market.values.items():
        held = scan(store, "macro", series=[name]).select("date", "value").collect()
        assert held.rows() == values
    for name in replay.market.bars:
        held = scan(store, "prices", series=[name]).select("date", "open", "high", "low", "close").collect()
        given = [bar[:5] for bar in replay.market.bars[name]]
        # A coin's bar ends at midnight: the last one was not finished.
        assert held.rows() == (given[:-1] if name == "COIN-USD" else given)
    paid = scan(store, "actions").select("date", "value").collect().rows()
    assert paid == replay.market.dividends["FUND"]


def test_second_fetch_asks_for_some_weeks_and_writes_nothing(store, replay, fetch_until):
    fetch_until(store)
    before = read_manifest(store).id
    replay.log.clear()
    report = fetch_until(store)
    assert report.series.select(pl.col("new", "revised", "waiting").sum()).row(0) == (0, 0, 0)
    assert read_manifest(store).id == before == report.manifest_id
    since = (LAST - timedelta(days=45)).isoformat()
    assert [path for path in replay.requests("SPREAD") if f"cosd={since}" in path] == replay.requests("SPREAD")
    assert len(replay.requests("FUND")) == 1


def test_a_revision_within_the_overlap_is_a_new_row(store, replay, fetch_until):
    replay.until = days_before(LAST, 5)
    fetch_until(store)
    seen = scan(store, "macro").select(pl.col("seen_at").max()).collect().item()
    replay.until = LAST
    day, value = replay.market.values["SPREAD"][-9]
    replay.market.values["SPREAD"][-9] = (day, value + 0.01)
    report = fetch_until(store)
    counts = report.series.filter(series="SPREAD").select("new", "revised").row(0)
    assert counts == (5, 1)
    then = scan(store, "macro", series=["SPREAD"], as_of=seen).filter(date=day).collect()
    now = scan(store, "macro", series=["SPREAD"]).filter(date=day).collect()
    assert (then["value"][0], now["value"][0]) == (value, value + 0.01)
    assert then["seen_at"][0] < now["seen_at"][0]


def test_a_history_built_day_by_day_equals_one_fetched_at_once(tmp_path, replay, fetch_until):
    daily, at_once = (open_store(tmp_path / name, create=True) for name in ("daily", "at_once"))
    for back in (40, 12, 3, 1, 0):
        replay.until = days_before(LAST, back)
        fetch_until(daily)
    fetch_until(at_once)
    assert same(stored(daily), stored(at_once))


def test_one_series_fails_and_the_others_come_in(store, replay, fetch_until):
    replay.faults.append(Fault("404", "FUND"))
    report = fetch_until(store)
    assert states(report) == {**dict.fromkeys(FETCHED, "ok"), "FUND": "failed"}
    assert report.failed == ("FUND",)
    assert "no such series" in report.series.filter(series="FUND")["message"][0]
    assert states(fetch_until(store))["FUND"] == "ok"


def test_stale_series_are_named(store, replay, fetch_until):
    now = datetime.combine(LAST + timedelta(days=20), datetime.min.time(), UTC)
    report = fetch_until(store, now=now)
    assert states(report) == {**dict.fromkeys(FETCHED, "stale"), "JOBLESS": "ok"}
    assert report.series["message"][0] == f"newest value of {LAST}, more than 5 days old"
    assert replay.log


def test_plan_says_what_would_be_asked_and_asks_nothing(store, replay):
    plans = plan(store, universe=universe())
    assert [(each.spec.name, each.reason, each.questions[0][1].first) for each in plans] == [
        (name, "new", None) for name in FETCHED
    ]
    assert replay.log == []


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, LAST - timedelta(days=45)),
        ({"since": LAST - timedelta(days=200)}, LAST - timedelta(days=200)),
        ({"since": LAST}, LAST - timedelta(days=45)),  # a gap is never left
        ({"refresh": True}, None),
    ],
)
def test_which_days_are_asked_for(store, replay, fetch_until, options, first):
    fetch_until(store)
    now = datetime.combine(LAST, datetime.min.time(), UTC)
    planned = {each.spec.name: each for each in plan(store, universe=universe(), now=now, **options)}
    assert planned["SPREAD"].questions[0][1].first == first
    assert planned["FEAR"].questions[0][0] == "rows"
    assert replay.log


def test_since_on_an_empty_store_begins_there(store, replay, fetch_until):
    begin = LAST - timedelta(days=100)
    fetch_until(store, since=begin)
    held = scan(store, "macro", series=["SPREAD"]).select(pl.col("date").min()).collect().item()
    assert begin <= held <= begin + timedelta(days=5)
    fetch_until(store)  # the universe knows that the history begins earlier, and a plain run completes it
    assert scan(store, "macro", series=["SPREAD"]).select(pl.col("date").min()).collect().item() == FIRST
    assert replay.log


def test_raw_bytes_are_kept_with_hash_address_and_moment(store, replay, fetch_until):
    report = fetch_until(store)
    (path,) = kept_fetches(store)
    answers = {kept.series: kept for kept in kept_answers(path)}
    assert sorted(answers) == sorted(FETCHED)
    assert path.stem.endswith(report.raw)
    assert moment_of(path) == report.seen_at
    assert {entry.raw for entry in read_manifest(store).files} == {(report.raw,)}
    spread = answers["SPREAD"]
    assert spread.answer.url.startswith(f"{replay.base}/graph/fredgraph.csv?id=SPREAD")
    assert spread.answer.body.startswith(b"observation_date,SPREAD\n2019-01-02,")


def test_damaged_archive_is_named(store, fetch_until):
    fetch_until(store)
    (path,) = kept_fetches(store)
    payload = bytearray(path.read_bytes())
    payload[len(payload) // 2] ^= 1
    path.write_bytes(payload)
    with pytest.raises(StoreError, match=r"raw answers .* are damaged"):
        kept_answers(path)


def test_the_key_is_used_and_appears_nowhere(store, replay, fetch_until, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", KEY)
    report = fetch_until(store, series=["SPREAD", "JOBLESS"])
    assert states(report) == {"SPREAD": "ok", "JOBLESS": "ok"}
    assert all(f"api_key={KEY}" in path for path in replay.log)
    assert (
        scan(store, "macro", series=["SPREAD"]).select("date", "value").collect().rows()
        == replay.market.values["SPREAD"]
    )
    written = b"".join(path.read_bytes() for path in store.root.rglob("*") if path.is_file())
    assert KEY.encode() not in written
    assert "api_key=REDACTED" in kept_answers(kept_fetches(store)[0])[0].answer.url


def test_a_wrong_key_is_explained_without_showing_it(store, replay, fetch_until, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "wrong-key-42")
    report = fetch_until(store, series=["SPREAD"])
    message = report.series["message"][0]
    assert message == "FRED says: Bad Request. The api_key is not registered."
    assert len(replay.log) == 1


def test_an_unfinished_bar_is_left_out_until_it_is_finished(store, replay, fetch_until):
    noon = datetime.combine(LAST, datetime.min.time(), UTC).replace(hour=16)
    report = fetch_until(store, now=noon, series=["FUND"])
    assert scan(store, "prices").select(pl.col("date").max()).collect().item() == days_before(LAST, 1)
    assert report.notes == (f"FUND: the bar of {LAST} is not finished and was left out",)
    fetch_until(store, series=["FUND"])
    assert scan(store, "prices").select(pl.col("date").max()).collect().item() == LAST
    assert replay.log


def test_unknown_and_licensed_series_are_errors(store, fetch_until):
    with pytest.raises(EngineError, match="no series 'NOTHING' in the universe"):
        fetch_until(store, series=["NOTHING"])
    with pytest.raises(EngineError, match="LICENSED has no source to fetch from; bring it in with `engine data import"):
        fetch_until(store, series=["LICENSED"])


def test_simulated_store_is_refused_before_anything_is_asked(store, replay, fetch_until):
    write_simulated(store)
    with pytest.raises(StoreError, match="holds the simulated market; fetch into another one"):
        fetch_until(store)
    assert replay.log == []


def test_two_fetches_at_once_write_each_row_once(tmp_path, store, replay, fetch_until):
    whole = open_store(tmp_path / "whole", create=True)
    fetch_until(whole, series=["SPREAD", "FEAR"])
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(fetch_until, store, series=["SPREAD", "FEAR"], now=None) for _ in range(2)]
        new = [run.result().series["new"].sum() for run in runs]
    assert same(stored(store), stored(whole))
    assert sorted(new) == [0, sum(frame.height for frame in stored(whole).values())]
    assert len(kept_fetches(store)) == 2
    assert replay.log


def test_server_and_store_agree_on_the_base_of_splits(store, replay, fetch_until):
    replay.market.splits["FUND"] = [(days_before(LAST, 300), 2.0)]
    fetch_until(store, series=["FUND"])
    bars, paid = rebased(replay, "FUND")
    assert scan(store, "prices").select("date", "close").collect().rows() == [(bar[0], bar[4]) for bar in bars]
    dividends = scan(store, "actions").filter(kind="dividend").select("date", "value").collect()
    assert dividends.rows() == paid
