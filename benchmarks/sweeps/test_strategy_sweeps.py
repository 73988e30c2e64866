"""Every strategy's sweep by the fused loop against the same combinations by vectorbt: equal results first, then speed.

Both run in this process on one thread, over the grid that is shipped with the strategy, on the simulated market. Time
is the processor's. vectorbt is the engine's own adapter, in chunks of its best size.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from engine.strategies import strategy_names
from engine.sweep import Plan, load_grid, make_plan, posture_paths
from engine.sweep.fused_backend import ONE_PASS, Evaluator, choose_form, evaluate_combinations, make_evaluator
from engine.sweep.vectorbt_backend import evaluate_paths
from engine.sweep.workers import BEST_CHUNK
from parquet_store import Store, open_store
from parquet_store.simulation import write_simulated

CONFIGS = Path(__file__).parents[2] / "configs"

COMPARED, QUICK = 1_000, 60
"""Combinations whose results are compared, in a measurement and under ``--benchmark-disable``."""

ROUNDS = 9
PRECISION = 1e-12

AIM = 500.0
AIM_OF_THE_PAIR = 2_000.0
"""Ratios to be reached; whether they are is printed. What must hold on any machine is that results are equal."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(tmp_path_factory.mktemp("sweeps") / "store", create=True)
    write_simulated(store)
    return store


def spread(combinations: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many combinations, evenly spread."""
    return combinations[:: -(-len(combinations) // most)]


def by_vectorbt(plan: Plan, combinations: NDArray[np.int64]) -> pl.DataFrame:
    frames = []
    for start in range(0, len(combinations), BEST_CHUNK):
        chunk = combinations[start : start + BEST_CHUNK]
        rows = plan.rows(chunk)
        frames.append(evaluate_paths(plan.market, posture_paths(plan, chunk), rows.weights, rows.daily))
    return pl.concat(frames)


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def assert_equal(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Hold every metric to 1e-12, relative where it is greater than 1."""
    assert found.columns == expected.columns
    for name in expected.columns:
        assert found[name].is_null().equals(expected[name].is_null()), name
        left, right = found[name].drop_nulls().to_numpy(), expected[name].drop_nulls().to_numpy()
        assert np.max(np.abs(left - right) / np.maximum(1.0, np.abs(right)), initial=0.0) <= PRECISION, name


@pytest.mark.parametrize("name", strategy_names())
def test_sweep_of_a_strategy(name: str, store: Store, benchmark: Any, lines: list[str]) -> None:
    plan = make_plan(store, load_grid(CONFIGS / f"{name}.toml"))
    combinations = np.flatnonzero(plan.is_feasible(np.arange(plan.grid.size)))
    evaluator = make_evaluator(plan)
    form = choose_form(evaluator)

    compared = spread(combinations, COMPARED if benchmark.enabled else QUICK)
    expected = by_vectorbt(plan, compared)
    assert_equal(evaluate_combinations(evaluator, compared, form), expected)
    assert_equal(evaluate_combinations(evaluator, compared, ONE_PASS), expected)
    if not benchmark.enabled:
        combinations = compared
    benchmark.pedantic(evaluate_combinations, (evaluator, combinations, form), rounds=ROUNDS)
    if not benchmark.enabled:
        return

    speed, speed_of_one_pass, peer = measured(plan, evaluator, combinations)
    ratio, aim = speed / peer, AIM_OF_THE_PAIR if name == "pair" else AIM
    lines.append(
        f"{name:<23}{len(combinations):>6,} combinations; a second: vectorbt {peer:,.0f}, "
        f"one pass {speed_of_one_pass:,.0f} ({speed_of_one_pass / peer:,.0f}x), fused {speed:,.0f} ({ratio:,.0f}x); "
        f"{aim:,.0f}x {'met' if ratio >= aim else 'missed'}"
    )
    benchmark.extra_info.update(speedup=ratio, one_pass=speed_of_one_pass / peer)


def measured(plan: Plan, evaluator: Evaluator, combinations: NDArray[np.int64]) -> tuple[float, float, float]:
    """Combinations a processor second: the chosen form, one pass, vectorbt. Medians, rounds of all taken in turn.

    The fused loop evaluates all, one pass and vectorbt some that are spread over the grid: neither remembers anything,
    so that they take as long for any.
    """
    form = choose_form(evaluator)
    some, chunk = spread(combinations, COMPARED), spread(combinations, BEST_CHUNK)

    def once() -> tuple[float, float, float]:
        chosen = (seconds(lambda: evaluate_combinations(evaluator, combinations, form)) for _ in range(ROUNDS))
        return (
            len(combinations) / statistics.median(chosen),
            len(some) / seconds(lambda: evaluate_combinations(evaluator, some, ONE_PASS)),
            len(chunk) / seconds(lambda: by_vectorbt(plan, chunk)),
        )

    chosen, one_pass, peer = (statistics.median(column) for column in zip(*(once() for _ in range(3)), strict=True))
    return chosen, one_pass, peer
