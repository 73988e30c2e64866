"""All forms of the fused evaluation agree to the last bit for every strategy, and with accounting and vectorbt."""

import subprocess
import sys
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from engine.compiled import jit
from engine.metrics import GROSS_METRICS, METRICS
from engine.strategies import find_strategy, strategy_names
from engine.strategies.strategy import POSTURE_MASK
from engine.sweep import Costs, Plan, load_grid, make_plan, posture_paths
from engine.sweep.accounting import account
from engine.sweep.decisions import NO_STOP, declared_stops, reads_held_return
from engine.sweep.fused_backend import (
    EVENT_DRIVEN,
    ONE_PASS,
    REMEMBERING,
    _follow,
    choose_form,
    evaluate_combinations,
    make_evaluator,
)
from engine.sweep.fused_blocks import evaluate_blocks, split
from engine.sweep.holdings import LOWEST, OPEN, new_memory, recall
from engine.sweep.settled import SPAN
from engine.sweep.vectorbt_backend import evaluate_paths
from parquet_store import Store
from tests.conftest import ROOT
from tests.sweep.pair_cases import assert_same_as_vectorbt

PRECISION = 1e-12


def shipped_plan(store: Store, name: str, *, rate_bps: float = 2.0) -> Plan:
    """The plan of a shipped grid, with both ways of rebalancing added."""
    grid = load_grid(ROOT / "configs" / f"{name}.toml")
    axes = {"rebalance": ("daily", "entry"), **grid.axes}
    return make_plan(store, replace(grid, axes=axes, costs=Costs(commission_bps=rate_bps)))


def some_combinations(plan: Plan, count: int, seed: int) -> NDArray[np.int64]:
    """Random combinations with a meaning, ascending."""
    drawn = np.random.default_rng(seed).integers(0, plan.grid.size, 4 * count)
    return np.unique(drawn[plan.is_feasible(drawn)][:count])


@pytest.mark.parametrize("name", strategy_names())
def test_every_form_gives_the_same_bits(market_store: Store, name: str) -> None:
    plan = shipped_plan(market_store, name)
    evaluator = make_evaluator(plan)
    combinations = some_combinations(plan, 400, seed=1)
    one_pass = evaluate_combinations(evaluator, combinations, ONE_PASS)
    for form in (EVENT_DRIVEN, REMEMBERING):
        assert_frame_equal(evaluate_combinations(evaluator, combinations, form), one_pass, check_exact=True)


def test_a_stop_that_is_no_loss_says_nothing_of_others(simulated_store: Store) -> None:
    """A rule with such a stop is followed close by close, and its path is not taken for that of another stop."""
    plan = make_plan(simulated_store, load_grid(ROOT / "configs" / "pair_quick.toml"))
    field = plan.grid.strategy.rule._fields.index("stop_loss")
    knobs = plan.knobs.rows.copy()
    knobs[::2, field] = 0.02
    plan = replace(plan, knobs=replace(plan.knobs, rows=knobs))
    evaluator = make_evaluator(plan)
    combinations = np.arange(plan.grid.size)
    one_pass = evaluate_combinations(evaluator, combinations, ONE_PASS)
    assert one_pass.unique().height > 2
    for form in (EVENT_DRIVEN, REMEMBERING):
        assert_frame_equal(evaluate_combinations(evaluator, combinations, form), one_pass, check_exact=True)


@jit
def add_up(
    in_spans: bool, books: Any, memory: Any, held: int, following: int, filled: int, left: int, holdings: Any
) -> None:
    recall(memory, False, in_spans, books, 0, True, held, following, filled, left, 0.9998, holdings)


@pytest.mark.parametrize("rate_bps", [0.0, 2.0, 50.0])
def test_closes_in_spans_add_up_to_what_they_do_one_by_one(simulated_store: Store, rate_bps: float) -> None:
    plan = shipped_plan(simulated_store, "bitcoin_hedge", rate_bps=rate_bps)
    books, memory, sessions = make_evaluator(plan).books, new_memory(0), plan.panel.sessions
    holdings = np.empty(plan.market.prices.shape[1])
    begin = 5 * SPAN
    for filled in (begin - 1, begin - books.settled.after, sessions - 30):
        ends = {begin + k for k in range(-1, 3 * SPAN)} if filled < begin else {sessions - 2, sessions - 1, sessions}
        for left in sorted(end for end in ends if end > filled):
            found = []
            for in_spans in (True, False):
                add_up(in_spans, books, memory, 2, 0 if left < sessions else OPEN, filled, left, holdings)
                found.append(memory.records[0, :LOWEST].copy())
            np.testing.assert_allclose(found[0], found[1], rtol=1e-14, atol=1e-17)


@pytest.mark.parametrize(
    ("name", "share"),
    [("credit_spreads_monitor", 0.7), ("bitcoin_hedge", 0.7), ("capitulation", 0.7), ("vix_regime", 0.85)],
)
def test_what_holds_the_same_positions_is_followed_once(
    simulated_store: Store, monkeypatch: pytest.MonkeyPatch, name: str, share: float
) -> None:
    """Many parameters of these grids do not matter where others have their values. Little room costs time, no bit."""
    plan = make_plan(simulated_store, load_grid(ROOT / "configs" / f"{name}.toml"))
    evaluator = make_evaluator(plan)
    combinations = np.flatnonzero(plan.is_feasible(np.arange(plan.grid.size)))[:1_200]
    expected = evaluate_combinations(evaluator, combinations, ONE_PASS)
    distinct = expected.unique().height
    followed = []
    for room, places in ((1 << 17, 1 << 11), (0, 1 << 11), (1 << 17, 1)):
        monkeypatch.setattr("engine.sweep.alike.ROOM", room)
        monkeypatch.setattr("engine.sweep.alike.PLACES", places)
        metrics, path_of, _ = _follow(evaluator, combinations, EVENT_DRIVEN)
        assert_frame_equal(metrics[path_of], expected, check_exact=True)
        followed.append(metrics.height)
    assert distinct <= followed[0] <= min(followed[1:])
    assert followed[0] < share * len(combinations)


@pytest.mark.parametrize("rate_bps", [0.0, 2.0, 50.0])
@pytest.mark.parametrize("name", strategy_names())
def test_agrees_with_vectorbt(market_store: Store, name: str, rate_bps: float) -> None:
    plan = shipped_plan(market_store, name, rate_bps=rate_bps)
    combinations = some_combinations(plan, 30, seed=2)
    rows = plan.rows(combinations)
    paths = posture_paths(plan, combinations)
    expected = evaluate_paths(plan.market, paths, rows.weights, rows.daily)
    found = evaluate_combinations(make_evaluator(plan), combinations)
    growth = 1.0 + found["total_return"].to_numpy()
    account_growth = np.prod(1.0 + account(plan.market, paths, rows.weights, rows.daily)[0], axis=0)
    assert np.max(np.abs(growth / account_growth - 1.0)) <= PRECISION
    assert found.columns == [*(metric.name for metric in METRICS), *GROSS_METRICS]
    assert_same_as_vectorbt(found, expected, PRECISION)


@pytest.mark.parametrize("name", strategy_names())
def test_blocks_and_threads_change_no_bit(simulated_store: Store, name: str) -> None:
    plan = shipped_plan(simulated_store, name)
    combinations = some_combinations(plan, 300, seed=3)
    whole = pl.concat([metrics for _, metrics in evaluate_blocks(plan, split(combinations), threads=1)])
    for size, threads in ((1, 2), (37, 2), (101, 3)):
        blocks = (combinations[start : start + size] for start in range(0, len(combinations), size))
        numbers, frames = zip(*evaluate_blocks(plan, blocks, threads=threads), strict=True)
        assert np.concatenate(numbers).tolist() == combinations.tolist()
        assert_frame_equal(pl.concat(frames), whole, check_exact=True)
    forced = pl.concat([metrics for _, metrics in evaluate_blocks(plan, split(combinations), one_pass=True)])
    assert_frame_equal(forced, whole, check_exact=True)


def test_a_grid_may_come_as_ranges(simulated_store: Store) -> None:
    plan = shipped_plan(simulated_store, "pair")
    numbers, frames = zip(*evaluate_blocks(plan, iter([range(7), range(1000, 1010)])), strict=True)
    combinations = np.concatenate(numbers)
    assert combinations.tolist() == [*range(7), *range(1000, 1010)]
    assert_frame_equal(
        pl.concat(frames), evaluate_combinations(make_evaluator(plan), combinations, ONE_PASS), check_exact=True
    )
    assert not list(evaluate_blocks(plan, iter([])))


def test_blocks_are_asked_for_as_they_are_needed(simulated_store: Store) -> None:
    asked: list[int] = []

    def blocks() -> Any:
        for start in range(0, 1_000_000, 10):
            asked.append(start)
            yield range(start % 1000, start % 1000 + 10)

    results = evaluate_blocks(shipped_plan(simulated_store, "pair"), blocks(), threads=2)
    next(results)
    assert len(asked) <= 4
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", strategy_names())
def test_a_rule_looks_at_its_return_as_it_declares(simulated_store: Store, name: str) -> None:
    """In a posture with a stop, only at whether the return is at or below the stop; in any other, not at all."""
    plan = make_plan(simulated_store, load_grid(ROOT / "configs" / f"{name}.toml"))
    rule_type = plan.grid.strategy.rule
    stops = declared_stops(rule_type)
    assert stops.declared
    random = np.random.default_rng(4)
    codes = 1 << len(plan.grid.strategy.conditions)
    for knobs in random.permutation(plan.knobs.rows)[:5]:
        rule, state = rule_type(*knobs), 0
        for _ in range(200):
            code = int(random.integers(codes))
            stop = stops.of_posture[state & POSTURE_MASK]
            level = knobs[stop] if stop != NO_STOP else -0.1
            hit = {rule_type.decide(rule, state, float(held), code) for held in (-10.0, 2.0 * level, level)}
            missed = {
                rule_type.decide(rule, state, float(held), code)
                for held in (np.nextafter(level, 0.0), 0.0, 3.0, np.inf)
            }
            assert len(hit) == len(missed) == 1
            assert stop != NO_STOP or hit == missed
            state = (hit if random.random() < 0.2 else missed).pop()


def test_reading_of_the_return_is_found() -> None:
    reading = {name for name in strategy_names() if reads_held_return(find_strategy(name).rule)}
    assert reading == {"pair", "vix_regime", "capitulation"}


def test_an_undeclared_look_at_the_return_is_followed_close_by_close(simulated_store: Store) -> None:
    plan = make_plan(simulated_store, load_grid(ROOT / "configs" / "pair_quick.toml"))

    @jit
    def decide(_rule: Any, state: int, held_return: float, code: int) -> int:
        if state == 0:
            return 1 if code & 1 else 0
        return 1 if int(abs(held_return) * 1000.0) % 3 < 2 else 0

    class Rule(NamedTuple):
        stop_loss: float
        rearm: float

    Rule.decide = decide  # type: ignore[attr-defined]
    strategy = replace(plan.grid.strategy, rule=Rule)
    plan = replace(plan, grid=replace(plan.grid, strategy=strategy))
    assert not declared_stops(Rule).declared
    combinations = some_combinations(plan, 40, seed=5)
    evaluator = make_evaluator(plan)
    rows = plan.rows(combinations)
    expected = evaluate_paths(plan.market, posture_paths(plan, combinations), rows.weights, rows.daily)
    one_pass = evaluate_combinations(evaluator, combinations, ONE_PASS)
    assert one_pass["trades"].min() > 5
    for form in (choose_form(evaluator), EVENT_DRIVEN, REMEMBERING):
        assert_frame_equal(evaluate_combinations(evaluator, combinations, form), one_pass, check_exact=True)
    assert_same_as_vectorbt(one_pass, expected)


SECOND_RUN = """
import sys
from pathlib import Path
from engine.sweep import load_grid, make_plan
from engine.sweep.fused_blocks import evaluate_blocks
from kernels.compile import compilation_notice
from parquet_store import open_store

plan = make_plan(open_store(Path(sys.argv[1])), load_grid(Path(sys.argv[2])))
compiled = []
with compilation_notice(compiled.append):
    list(evaluate_blocks(plan, [range(50)], threads=2))
    list(evaluate_blocks(plan, [range(50)], threads=2, one_pass=True))
print(len(compiled))
"""


def test_a_second_process_compiles_nothing(simulated_store: Store) -> None:
    def compiled() -> int:
        command = [sys.executable, "-c", SECOND_RUN, str(simulated_store.root), str(ROOT / "configs/pair_quick.toml")]
        finished = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        return int(finished.stdout)

    compiled()  # or found; that compilations are counted is shown in tests/kernels/test_compile.py
    assert compiled() == 0
