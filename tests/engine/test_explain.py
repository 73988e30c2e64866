"""A day explained: the numbers are those of the sweep and of the store, and every wrong request has its sentence."""

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sql
from engine.credit import rule_fires
from engine.explain import ExplainError, Explanation, explain
from engine.panel import PanelError, Sample
from engine.report.explanation import explanation_json
from engine.strategies import ParameterError, find_strategy, parse_assignments, strategy_names
from engine.sweep import Costs, GridError, grid_of_one, plan_from_panel, posture_paths, strategy_panel, trace_rule
from parquet_store import Store, append, load_universe, open_store, scan, sessions
from parquet_store.calendar import known_at
from tests.conftest import Engine

CRASH = date(2020, 3, 16)
DAYS = (date(2018, 6, 1), CRASH, date(2022, 10, 14))


@pytest.mark.parametrize("name", strategy_names())
def test_a_day_is_what_the_sweep_of_the_whole_history_makes_of_it(market_store: Store, name: str) -> None:
    strategy = find_strategy(name)
    explained = [explain(market_store, name, day) for day in DAYS]
    sample = Sample(explained[0].first, warmup="before")
    panel = strategy_panel(market_store, strategy, sample)
    plan = plan_from_panel(panel, grid_of_one(strategy, {}, sample=sample, costs=Costs()))
    trace, path = trace_rule(plan), posture_paths(plan, np.zeros(1, np.int64))[0]
    for day, one in zip(DAYS, explained, strict=True):
        t = int(np.searchsorted(panel.sample_dates, np.datetime64(day)))
        assert one.code == trace.codes[t] == sum(1 << each.bit for each in one.conditions if each.met)
        assert (one.state_before, one.state_after) == (trace.states[t - 1], trace.states[t])
        assert one.posture_wanted == strategy.postures[trace.wanted[t]]
        assert (one.held_return is None) == (path[t] == 0)
        if one.held_return is not None:
            assert one.held_return == trace.held_returns[t]
            assert one.posture_held == strategy.postures[path[t]]
        assert [leg.wanted for leg in one.legs] == plan.market.weights[0, trace.wanted[t]].tolist()
        assert one.next_session == sessions(day, date(2026, 1, 1))["date"][1]


def test_the_documents_rules_fire_where_all_their_conditions_are_met(simulated_store: Store) -> None:
    strategy = find_strategy("credit_spreads_monitor")
    panel = strategy_panel(simulated_store, strategy, Sample(warmup="before"))
    values = dict(strategy.parameters())
    fires = {rule.name: rule_fires(panel, rule, values) for rule in strategy.insight_rules}
    for rows in fires.values():
        day = panel.dates[rows][-1].item()
        explained = explain(simulated_store, strategy.name, day)
        told = {each.name: each.fires for each in explained.insight_rules}
        assert told == {name: bool(fired[panel.dates == np.datetime64(day)][0]) for name, fired in fires.items()}
    assert explain(simulated_store, "pair", CRASH).insight_rules == ()


def test_verdicts_follow_from_the_numbers_shown(simulated_store: Store) -> None:
    relations = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    for name in strategy_names():
        for each in explain(simulated_store, name, CRASH).conditions:
            if each.undefined is not None:
                assert None in (each.value, each.threshold)
                assert not each.met
            elif each.relation in relations:
                assert each.value is not None
                assert each.threshold is not None
                assert each.met == relations[each.relation](each.value, each.threshold)


def test_the_pairs_numbers_are_those_of_the_store(market_store: Store) -> None:
    """Each is computed here again from the adjusted closes, in plain Python."""
    explanation = explain(market_store, "pair", CRASH)
    values = [each.value for each in explanation.conditions]
    thresholds = [each.threshold for each in explanation.conditions]
    xlf, hyg, vix = (closes(market_store, symbol) for symbol in ("XLF", "HYG", "VIX"))
    average = math.fsum(xlf[-200:]) / 200
    earlier = math.fsum(xlf[-220:-20]) / 200
    assert values[0] == pytest.approx(xlf[-1], rel=1e-12)
    assert thresholds[0] == pytest.approx(average, rel=1e-12)
    assert values[1] == pytest.approx(average / earlier - 1.0, rel=1e-9)
    assert values[2] == pytest.approx(hyg[-1] / max(hyg[-60:]) - 1.0, rel=1e-9)
    assert thresholds[2] == -0.03
    assert values[3] == values[5] == pytest.approx(math.fsum(vix[-20:]) / 20, rel=1e-12)
    assert thresholds[3] == thresholds[5] == pytest.approx(math.fsum(vix[-50:]) / 50, rel=1e-12)


def test_what_is_held_has_earned_its_legs_returns(simulated_store: Store) -> None:
    since, last = a_holding(simulated_store)
    one = explain(simulated_store, "pair", last)
    assert one.held_since == since
    growth = 1.0
    legs = [closes(simulated_store, symbol, since, last) for symbol in ("XLE", "XLB", "XLU", "IGV")]
    for t in range(1, len(legs[0])):
        moves = [leg[t] / leg[t - 1] - 1.0 for leg in legs]
        growth *= 1.0 + sum(moves[:3]) / 3.0 - moves[3]
    assert one.held_return == pytest.approx(growth - 1.0, rel=1e-12)
    assert one.held_return != 0.0


def test_the_trade_is_said(simulated_store: Store) -> None:
    """Around an entry: wanted, then held; and what follows while it is held."""
    since, _ = a_holding(simulated_store)
    before = sessions(date(2005, 1, 3), since)["date"][-2]
    wanted, filled = explain(simulated_store, "pair", before), explain(simulated_store, "pair", since)
    assert (wanted.posture_held, wanted.held_since, wanted.held_return) == ("flat", None, None)
    assert wanted.trade == f"from 'flat' to 'long basket, short software' at the close of {since}"
    assert [leg.wanted for leg in wanted.legs] == pytest.approx([1 / 3, 1 / 3, 1 / 3, -1])
    assert (filled.held_since, filled.held_return) == (since, 0.0)
    assert "traded back to their target weights" in filled.trade
    runs = explain(simulated_store, "pair", since, {"rebalance": "entry"})
    assert runs.trade == "nothing: the holdings run to the exit"


def test_each_input_has_its_day_and_the_moment_it_became_known(market_store: Store) -> None:
    universe = load_universe()
    for name in ("combined_credit_spread", "bitcoin_recovery"):
        explanation = explain(market_store, name, CRASH)
        for each in explanation.inputs:
            spec = universe[each.series.removesuffix("@next_morning")]
            assert each.dated is not None
            assert each.known_at == known_at(spec, pl.Series([each.dated]))[0]
            if spec.kind == "macro":
                stored = scan(market_store, "macro").filter(series=spec.name, date=each.dated).collect()
                assert stored["value"].to_list() == [each.value]
    known = {each.series: each for each in explanation.inputs}
    assert known["SPY"].dated == CRASH
    assert known["BTC-USD"].dated == date(2020, 3, 15)  # the bar that closed at midnight UTC, before the session
    morning = explain(market_store, "combined_credit_spread", CRASH).inputs[-2]
    assert morning.series == "BAMLH0A0HYM2@next_morning"
    assert (morning.dated, morning.known_at) == (CRASH, datetime(2020, 3, 17, 13, tzinfo=UTC))


def test_what_is_undefined_says_why(simulated_store: Store) -> None:
    early = explain(simulated_store, "pair", date(2005, 3, 1))
    assert [each.undefined for each in early.conditions] == ["warm-up"] * 6
    assert early.conditions[0].value is not None
    assert early.conditions[0].threshold is None
    gap = explain(simulated_store, "credit_spreads_monitor", date(2016, 11, 14))  # a Monday after a bond holiday
    reasons = {each.text: each.undefined for each in gap.conditions}
    assert reasons["the spread is lower than 20 sessions before"] == "missing"
    assert reasons["VIX is calm for its history"] is None
    assert {each.series for each in gap.inputs if each.value is None} >= {"BAMLH0A0HYM2"}


def test_conditions_look_back_beyond_the_first_trade(market_store: Store) -> None:
    """The scores of the monitor need years of spreads, which the store holds from before the funds' first prices."""
    explanation = explain(market_store, "credit_spreads_monitor", DAYS[0])
    panel = strategy_panel(
        market_store, find_strategy("credit_spreads_monitor"), Sample(explanation.first, warmup="before")
    )
    assert explanation.first == panel.sample_dates[0].item()
    assert explanation.conditions[0].met


def test_only_what_was_stored_by_the_moment_counts(fresh_simulated_store: Store) -> None:
    rows = scan(fresh_simulated_store, "prices").filter(symbol="VIX", date=CRASH).collect()
    revised = rows.with_columns(pl.lit(99.0).alias("close"), pl.lit(99.0).alias("high")).drop("seen_at")
    first_seen = rows["seen_at"][0]
    append(fresh_simulated_store, "prices", revised)
    before, now = (
        explain(fresh_simulated_store, "pair", CRASH, as_of=moment)
        for moment in (datetime(2026, 6, 1, tzinfo=UTC), None)
    )
    values = [{each.series: each.value for each in one.inputs}["VIX"] for one in (before, now)]
    assert first_seen < datetime(2026, 6, 1, tzinfo=UTC)
    assert values == [rows["close"][0], 99.0]
    assert now.conditions[3].value == pytest.approx(before.conditions[3].value + (99.0 - values[0]) / 20, rel=1e-12)
    with pytest.raises(ExplainError, match="its sessions run from 2005-01-03 to 2020-03-13"):
        explain(fresh_simulated_store, "pair", CRASH, as_of=datetime(2020, 3, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2020, 3, 14), "2020-03-14 is not a session .*: the sessions around it are 2020-03-13 and 2020-03-16"),
        (date(2020, 4, 10), "the sessions around it are 2020-04-09 and 2020-04-13"),
        (date(2001, 9, 12), "the sessions around it are 2001-09-10 and 2001-09-17"),
        (date(2027, 3, 2), "no data for 2027-03-02: its sessions run from 2005-01-03 to 2026-03-31"),
        (date(1999, 3, 2), "no data for 1999-03-02"),
        (date(2005, 1, 3), "2005-01-03 is the first session with prices of all of XLE, XLB, XLU, IGV"),
    ],
)
def test_a_day_that_cannot_be_explained_is_refused(simulated_store: Store, day: date, words: str) -> None:
    with pytest.raises(ExplainError, match=words):
        explain(simulated_store, "pair", day)


def test_a_leg_without_a_price_is_named(simulated_store: Store, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    late = (pl.col("symbol") != "BTC-USD") | (pl.col("date") >= date(2015, 1, 2))
    append(store, "prices", scan(simulated_store, "prices").filter(late).collect())
    with pytest.raises(ExplainError, match="there is no price of BTC-USD on 2014-06-02"):
        explain(store, "bitcoin_hedge", date(2014, 6, 2))
    assert explain(store, "bitcoin_hedge", CRASH).first == date(2015, 1, 5)


def test_parameters_that_cannot_be_used_are_refused(simulated_store: Store) -> None:
    with pytest.raises(GridError, match="pair has no meaning with vix_fast = 60, vix_slow = 50"):
        explain(simulated_store, "pair", CRASH, {"vix_fast": 60})
    with pytest.raises(ParameterError, match="unknown parameter 'xlf'"):
        explain(simulated_store, "pair", CRASH, {"xlf": 60})


def test_a_missing_series_is_named_with_the_way_to_get_it(simulated_store: Store, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    with pytest.raises(
        PanelError, match=r"XLF, HYG, .* are not in the store .*fetch --series XLF --series HYG .*engine data import"
    ):
        explain(store, "pair", CRASH)
    held = scan(simulated_store, "prices").filter(pl.col("symbol") != "HYG").collect()
    append(store, "prices", held)
    with pytest.raises(
        PanelError, match=r"HYG is not in the store .*engine data fetch --series HYG` .*engine data import"
    ):
        explain(store, "pair", CRASH)


def test_assignments_are_read_as_a_grid_file_is() -> None:
    texts = [
        "xlf_dma=180",
        "stop_loss = -0.1",
        "hyg_reading=deeper",
        "rearm=false",
        "market_cap={date=2026-05-03, XLE=1}",
    ]
    assert parse_assignments(texts) == {
        "xlf_dma": 180,
        "stop_loss": -0.1,
        "hyg_reading": "deeper",
        "rearm": False,
        "market_cap": {"date": date(2026, 5, 3), "XLE": 1},
    }
    for wrong, words in ((["xlf_dma"], "sets nothing"), (["=3"], "sets nothing"), (["a=1", "a=2"], "set twice")):
        with pytest.raises(ParameterError, match=words):
            parse_assignments(wrong)


def test_json_holds_all_of_it(simulated_store: Store) -> None:
    explanation = explain(simulated_store, "pair", CRASH, {"xlf_dma": 180})
    answer = json.loads(explanation_json(explanation))
    assert set(answer) == set(Explanation.__dataclass_fields__)
    assert answer["day"] == "2020-03-16"
    assert answer["parameters"]["xlf_dma"] == 180
    assert answer["conditions"][0]["parameters"] == {"xlf_dma": 180}
    assert answer["conditions"][0]["threshold"] == explanation.conditions[0].threshold
    assert datetime.fromisoformat(answer["inputs"][0]["known_at"]) == datetime(2020, 3, 16, 20, tzinfo=UTC)


def test_the_command(engine: Engine, simulated_store: Store) -> None:
    arguments = ("explain", "pair", "--date", "2020-03-16", "--store", simulated_store.root, "--set", "xlf_dma=180")
    done = engine(*arguments)
    assert done.returncode == 0
    for words in ("SIMULATED MARKET", "XLF is below its moving average", "xlf_dma = 180", "next trade", "known at"):
        assert words in done.stdout
    assert json.loads(engine(*arguments, "--format", "json").stdout)["strategy"] == "pair"
    refused = engine("explain", "pair", "--date", "2020-03-14", "--store", simulated_store.root)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1].startswith("engine: 2020-03-14 is not a session")


def closes(store: Store, symbol: str, first: date = date(2000, 1, 1), last: date = CRASH) -> list[float]:
    """Return the total-return index of a symbol on the sessions from ``first`` to ``last``."""
    text = "SELECT close FROM adjusted WHERE symbol = $symbol AND date BETWEEN $first AND $last ORDER BY date"
    parameters = {"symbol": symbol, "first": first, "last": last}
    rows: list[float] = sql.query(store, text, params=parameters)["close"].to_list()
    return rows


def a_holding(store: Store) -> tuple[date, date]:
    """Return the session at which the pair was entered from flat, and one some sessions later in the holding."""
    strategy = find_strategy("pair")
    panel = strategy_panel(store, strategy, Sample())
    plan = plan_from_panel(panel, grid_of_one(strategy, {}, sample=Sample(), costs=Costs()))
    path = posture_paths(plan, np.zeros(1, np.int64))[0]
    fills = np.flatnonzero(np.diff(path) == 1) + 1
    fill = next(t for t in fills if path[t : t + 6].all())
    return panel.dates[fill].item(), panel.dates[fill + 5].item()
