from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.sweep import Grid, GridError, make_plan, parse_grid
from engine.sweep.combinations import draw, select
from engine.sweep.plan import Plan
from engine.sweep.workers import MemoryBudgetError
from parquet_store import Store

FAST = {"start": 10, "stop": 59, "step": 1}


def vix_grid(**evaluate: object) -> Grid:
    """A grid of which a part has no meaning: the fast average must be shorter than the slow one."""
    return parse_grid(
        {
            "strategy": {"name": "pair"},
            "grid": {"vix_fast": FAST, "vix_slow": FAST, "stop_loss": [-0.1, -0.15, -0.2]},
            "sample": {"first": date(2018, 1, 2), "last": date(2026, 3, 6)},
            "evaluate": evaluate,
        },
        name="vix",
    )


@pytest.fixture(scope="module")
def plan(simulated_store: Store) -> Plan:
    return make_plan(simulated_store, vix_grid())


def feasible(plan: Plan) -> np.ndarray:
    everything = np.arange(plan.grid.size)
    return everything[plan.is_feasible(everything)]


def test_all_combinations_with_a_meaning_come_in_order(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sweep.combinations.BLOCK", 100)
    selection = select(plan, memory=10**9)
    assert np.concatenate(list(selection.blocks())).tolist() == feasible(plan).tolist()
    assert selection.count == plan.feasible_count == len(feasible(plan)) < plan.grid.size
    late = np.concatenate(list(selection.blocks(1_000)))
    assert late.tolist() == [number for number in feasible(plan).tolist() if number >= 1_000]
    spans = list(selection.spans(300))
    together = [number for start, stop in spans for block in selection.blocks(start, stop) for number in block.tolist()]
    assert together == feasible(plan).tolist()


def test_a_sample_has_as_many_as_asked_each_once_and_with_a_meaning(plan: Plan) -> None:
    drawn = draw(plan, 1_000, seed=5)
    assert len(np.unique(drawn)) == 1_000
    assert (np.diff(drawn) > 0).all()
    assert plan.is_feasible(drawn).all()
    assert set(draw(plan, 200, seed=5)) < set(drawn)
    assert drawn.tolist() != draw(plan, 1_000, seed=6).tolist()
    assert draw(plan, 10**9, seed=5).tolist() == feasible(plan).tolist()


def test_a_sample_favours_no_part_of_the_grid(plan: Plan) -> None:
    counts = np.zeros(plan.grid.size)
    for seed in range(300):
        counts[draw(plan, 200, seed=seed)] += 1
    share = 200 / plan.feasible_count
    tenths = [part.mean() / (300 * share) for part in np.array_split(counts[feasible(plan)], 10)]
    assert tenths == pytest.approx([1.0] * 10, abs=0.06)


def test_sampled_grids_are_other_trials(plan: Plan) -> None:
    assert len({vix_grid().hash(), vix_grid(sample=100).hash(), vix_grid(sample=100, seed=2).hash()}) == 3
    assert vix_grid(metric="calmar").hash() == vix_grid().hash() == plan.grid.hash()


def test_a_grid_of_any_size_is_sampled(simulated_store: Store) -> None:
    axes = {
        "xlf_dma": {"start": 50, "stop": 249, "step": 1},
        "reclaim_sessions": {"start": 1, "stop": 10, "step": 1},
        "hyg_drawdown": {"start": -0.01, "stop": -0.5, "step": -0.001},
        "hyg_window": [40, 60],
        "vix_fast": FAST,
        "vix_slow": [60, 70],
        "stop_loss": {"start": -0.1, "stop": -0.2, "step": -0.00001},
    }
    content = {
        "strategy": {"name": "pair"},
        "grid": axes,
        "sample": {"first": date(2018, 1, 2), "last": date(2018, 12, 31)},
    }
    grid = parse_grid({**content, "evaluate": {"sample": 500}})
    assert grid.size > 10**12
    selection = select(make_plan(simulated_store, grid), memory=10**9)
    assert selection.count == 500
    assert (np.diff(selection.drawn) > 0).all()
    larger = parse_grid({**content, "evaluate": {"sample": 10_000_000}})
    with pytest.raises(MemoryBudgetError, match=r"10,000,000 combinations does not fit.*sample = \d+ in \[evaluate\]"):
        select(replace(selection.plan, grid=larger), memory=500_000_000)


@pytest.mark.parametrize("given", [{"sample": 0}, {"sample": 1.5}, {"sample": "many"}, {"seed": -1}, {"sample": True}])
def test_a_sample_that_cannot_be_drawn_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(GridError, match=rf"{next(iter(given))} = .*\[evaluate\]"):
        vix_grid(**given)


def test_a_table_without_bounds_is_refused(simulated_store: Store) -> None:
    long = {"start": 2, "stop": 2001, "step": 1}
    grid = parse_grid({"strategy": {"name": "pair"}, "grid": {"vix_fast": long, "vix_slow": long}})
    with pytest.raises(GridError, match=r"vix_fast and vix_slow.*4,000,000.*larger steps"):
        make_plan(simulated_store, grid)
