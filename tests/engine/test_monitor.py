"""The monitor: it says what `explain` says, in one screen, and marks what is stale, absent or stands in."""

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from engine.explain import explain
from engine.monitor import Monitor, monitor
from engine.report.monitor import monitor_json, render_monitor
from engine.strategies import find_strategy, strategy_names
from parquet_store import EngineError, Store, append, open_store, scan
from tests.conftest import Engine

LAST_OAS = date(2024, 5, 31)


@pytest.fixture(scope="module")
def thin_store(simulated_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store without high-yield OAS and CDX, whose 10-year yield has stopped and whose bitcoin bars end early."""
    store = open_store(tmp_path_factory.mktemp("thin") / "store", create=True)
    until = pl.col("date") <= date(2024, 6, 28)
    prices = scan(simulated_store, "prices").filter(until)
    macro = scan(simulated_store, "macro").filter(until, ~pl.col("series").is_in(["BAMLH0A0HYM2", "CDX_NA_HY_5Y"]))
    stopped = (pl.col("series") == "DGS10") & (pl.col("date") > LAST_OAS)
    coins = (pl.col("symbol") == "BTC-USD") & (pl.col("date") > date(2024, 6, 1))
    actions = scan(simulated_store, "actions").filter(until)
    frames = {"prices": prices.filter(~coins), "macro": macro.filter(~stopped), "actions": actions}
    for table, frame in frames.items():
        append(store, table, frame.with_columns(pl.lit("files").alias("source")).collect())
    return store


@pytest.fixture(scope="module")
def thin(thin_store: Store) -> Monitor:
    """The monitor of that store, looked at on the sixth day after its last session."""
    return monitor(thin_store, now=datetime(2024, 7, 4, tzinfo=UTC))


def test_it_says_what_explain_says(simulated_store: Store) -> None:
    day = date(2022, 10, 14)
    seen = monitor(simulated_store, day)
    assert [each.strategy for each in seen.strategies] == list(strategy_names())
    for state in seen.strategies:
        assert state.unavailable is None
        if state.strategy in ("combined_credit_spread", "pair"):
            one = explain(simulated_store, state.strategy, day)
            assert (state.regime, state.held, state.held_since) == (
                one.posture_wanted,
                one.posture_held,
                one.held_since,
            )
            assert (state.trade, state.legs, state.held_return) == (one.trade, one.legs, one.held_return)
    rules = explain(simulated_store, "credit_spreads_monitor", day).insight_rules
    assert tuple(each.rule for each in seen.rules) == rules
    assert {each.rule.confidence for each in seen.rules} == {0.67, 0.58, 0.55}


def test_the_day_is_the_last_session_known_by_the_moment(simulated_store: Store) -> None:
    assert monitor(simulated_store).day == scan(simulated_store, "prices", series=["SPY"]).collect()["date"].max()
    # Before the close of the 14th its session is not over; the 13th is the last one that was known.
    seen = monitor(simulated_store, as_of=datetime(2022, 10, 14, 19, 0, tzinfo=UTC))
    assert (seen.day, seen.next_session) == (date(2022, 10, 13), date(2022, 10, 14))


def test_values_are_the_newest_known_at_the_close(simulated_store: Store) -> None:
    day = date(2022, 10, 14)
    values = {each.series: each for each in monitor(simulated_store, day).series}
    close = scan(simulated_store, "prices", series=["SPY"], first=day, last=day).collect()["close"][0]
    assert (values["SPY"].value, values["SPY"].dated, values["SPY"].days_old) == (close, day, 0)
    assert values["BTC-USD"].dated == day - timedelta(days=1)
    assert values["BAMLH0A0HYM2"].dated == day - timedelta(days=1)
    assert not any(each.stale for each in values.values())


def test_what_stands_in_is_marked_and_lowers_confidence(thin: Monitor) -> None:
    states = {each.strategy: each for each in thin.strategies}
    assert states["credit_spreads_monitor"].stand_in == {"spread": "ig_oas"}
    assert all(each.stand_in == {"spread": "ig_oas"} for each in thin.rules)
    assert any("ig_oas" in note and "lower confidence" in note for note in thin.notes)
    combined = states["combined_credit_spread"]
    assert combined.regime is None
    assert "BAMLH0A0HYM2" in (combined.unavailable or "")
    assert "engine data fetch" in (combined.unavailable or "")
    hedge = states["bitcoin_hedge"]
    assert hedge.unavailable is not None
    assert "no price of BTC-USD on 2024-06-28" in hedge.unavailable


def test_stale_and_absent_series_are_named(thin: Monitor) -> None:
    series = {each.series: each for each in thin.series}
    assert series["DGS10"].stale
    assert series["DGS10"].days_old == (date(2024, 6, 28) - LAST_OAS).days
    absent = series["BAMLH0A0HYM2"]
    assert (absent.stale, absent.dated, absent.value) == (True, None, None)
    assert absent.proxies == ("BAA10Y",)
    assert not series["SPY"].stale


@pytest.mark.parametrize(("strategy", "measures"), [("credit_spreads_monitor", 5), ("combined_credit_spread", 2)])
def test_stand_ins_are_parameters_of_their_strategy(strategy: str, measures: int) -> None:
    described = find_strategy(strategy)
    assert len(described.stand_ins) == measures
    for values in described.stand_ins:
        assert described.parameters(**values) != described.parameters()


def test_a_store_without_a_session_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(EngineError, match="had no session of the exchange by then"):
        monitor(open_store(tmp_path / "store", create=True))


def test_an_old_store_is_told_to_fetch(thin: Monitor, thin_store: Store) -> None:
    assert thin.notes[0] == "the last session of the store is 6 days old; run `engine data fetch`"
    in_time = monitor(thin_store, now=datetime(2024, 7, 3, tzinfo=UTC))
    assert in_time.notes == thin.notes[1:]


def test_the_command_prints_one_screen_or_json(engine: Engine, thin: Monitor, thin_store: Store) -> None:
    shown = engine("monitor", "--store", thin_store.root)
    assert shown.returncode == 0, shown.stderr
    for words in ("2024-06-28", "spread=ig_oas", "less by the stand-in", "STALE", "ABSENT; proxy BAA10Y"):
        assert words in shown.stdout
    assert "combined_credit_spread says nothing:" in shown.stdout
    document = json.loads(engine("monitor", "--store", thin_store.root, "--format", "json").stdout)
    assert document["day"] == "2024-06-28"
    assert document["strategies"] == json.loads(monitor_json(thin))["strategies"]
    assert document["series"] == json.loads(monitor_json(thin))["series"]
    refused = engine("monitor", "--store", thin_store.root, "--date", "2024-06-29")
    assert refused.returncode == 2
    assert "is not a session" in refused.stderr


def test_rules_that_fire_stand_out(simulated_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    seen = monitor(simulated_store, date(2020, 3, 16))
    assert any(each.rule.fires for each in seen.rules)
    render_monitor(seen)
    shown = capsys.readouterr().out
    assert shown.count("FIRES") == sum(each.rule.fires for each in seen.rules)
    assert "SIMULATED MARKET" in shown
