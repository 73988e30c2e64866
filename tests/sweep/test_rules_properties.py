"""What holds for the pair on any market: agreement with the reference, causality, and no trace of the blocks."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from engine.panel import Panel
from engine.sweep import Plan, load_grid, parse_grid, plan_from_panel, posture_paths
from engine.sweep.distinct import representatives
from engine.sweep.workers import Workload, evaluate_representatives
from tests.sweep.pair_cases import SERIES, assert_agrees, evaluate, evaluate_fused, make_panel, simulated_panel

GRID = Path(__file__).parents[2] / "configs" / "pair_quick.toml"

few = settings(max_examples=8, deadline=None)
some = settings(max_examples=30, deadline=None)
many = settings(max_examples=200, deadline=None)


@st.composite
def markets(draw: st.DrawFn) -> Panel:
    """Return a short market in which entries, stops and exits are frequent."""
    sessions = draw(st.integers(30, 120))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    volatility = draw(st.sampled_from((0.005, 0.01, 0.03)))
    returns = random.normal(0.0, volatility, (sessions, len(SERIES)))
    returns[:, SERIES.index("XLF")] -= volatility / 10
    returns[:, SERIES.index("VIX")] += random.normal(0.0, 0.05, sessions)
    closes = np.exp(np.cumsum(returns, axis=0)) * random.uniform(5.0, 100.0, len(SERIES))
    dates = np.busday_offset(np.datetime64("2021-01-04"), np.arange(sessions))
    return make_panel(dates, dict(zip(SERIES, closes.T, strict=True)))


def lengths(low: int, high: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=1, max_size=2, unique=True)


def fractions(low: float, high: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(low, high), min_size=1, max_size=2, unique=True)


def choices(*values: object) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def is_feasible(content: dict[str, Any]) -> bool:
    return bool(min(content["grid"]["vix_fast"]) < max(content["grid"]["vix_slow"]))


GRIDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "strategy": st.just(
            {"name": "pair", "market_cap": {"date": "2026-05-03", "XLE": 40.0, "XLB": 7.0, "XLU": 24.0}}
        ),
        "grid": st.fixed_dictionaries(
            {
                "xlf_dma": lengths(2, 40),
                "hyg_drawdown": fractions(-0.05, -0.0001),
                "basket_weights": choices("equal", "market_cap"),
                "stop_loss": fractions(-0.06, -0.0005),
                "slope_lookback": lengths(1, 12),
                "hyg_window": lengths(2, 20),
                "vix_fast": lengths(1, 6),
                "vix_slow": lengths(2, 20),
                "reclaim_sessions": lengths(1, 5),
                "hyg_reading": choices("deeper", "shallower"),
                "rearm": choices(True, False),
                "rebalance": choices("daily", "entry"),
            }
        ),
        "costs": st.fixed_dictionaries({"commission_bps": st.sampled_from((0.0, 1.0, 25.0))}),
    }
).filter(is_feasible)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    return plan_from_panel(draw(markets()), parse_grid(draw(GRIDS)))


@st.composite
def selections(draw: st.DrawFn, most: int = 10) -> tuple[Plan, NDArray[np.int64]]:
    """Return a plan and some of its combinations, ascending."""
    plan = draw(plans())
    feasible = np.flatnonzero(plan.is_feasible(np.arange(plan.grid.size)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return plan, np.sort(random.choice(feasible, min(most, len(feasible)), replace=False))


@some
@given(selections())
def test_positions_and_metrics_agree_with_the_reference(selection: tuple[Plan, NDArray[np.int64]]) -> None:
    for name in assert_agrees(*selection):
        event(name)


@many
@given(markets(), GRIDS, st.integers(2, 120))
def test_positions_of_a_prefix_are_a_prefix_of_the_positions(
    panel: Panel, content: dict[str, Any], sessions: int
) -> None:
    grid = parse_grid(content)
    start = make_panel(panel.dates[:sessions], {name: panel.values(name)[:sessions] for name in SERIES})
    combinations = np.arange(grid.size)
    whole = posture_paths(plan_from_panel(panel, grid), combinations)
    np.testing.assert_array_equal(
        posture_paths(plan_from_panel(start, grid), combinations), whole[:, : len(start.dates)]
    )


@many
@given(plans())
def test_first_session_is_flat_and_positions_are_in_or_out(plan: Plan) -> None:
    paths = posture_paths(plan, np.arange(plan.grid.size))
    assert paths.shape == (plan.grid.size, plan.panel.sessions)
    assert not paths[:, 0].any()
    assert set(np.unique(paths)) <= {0, 1}


@few
@given(selections())
def test_results_do_not_depend_on_the_blocks(selection: tuple[Plan, NDArray[np.int64]]) -> None:
    plan, combinations = selection
    paths, metrics = evaluate(plan, combinations)
    fused = evaluate_fused(plan, combinations)
    for size in (1, 7):
        parts = [combinations[k : k + size] for k in range(0, len(combinations), size)]
        blocks = [evaluate(plan, part) for part in parts]
        np.testing.assert_array_equal(np.concatenate([block for block, _ in blocks]), paths)
        assert_frame_equal(pl.concat([frame for _, frame in blocks]), metrics, check_exact=True)
        assert_frame_equal(pl.concat([evaluate_fused(plan, part) for part in parts]), fused, check_exact=True)


@some
@given(selections(most=40))
def test_each_combination_has_the_result_of_its_representative(selection: tuple[Plan, NDArray[np.int64]]) -> None:
    plan, combinations = selection
    representative = representatives(plan, combinations)
    assert (representative <= combinations).all()
    assert np.isin(representative, combinations).all()
    np.testing.assert_array_equal(representatives(plan, np.unique(representative)), np.unique(representative))
    paths, metrics = evaluate(plan, combinations)
    paths_of_representatives, metrics_of_representatives = evaluate(plan, representative)
    np.testing.assert_array_equal(paths_of_representatives, paths)
    assert_frame_equal(metrics_of_representatives, metrics, check_exact=True)


def test_results_do_not_depend_on_the_processes() -> None:
    plan = plan_from_panel(simulated_panel(), load_grid(GRID))
    combinations = np.arange(0, plan.grid.size, 50)
    workload = Workload(processes=2, chunk=4)
    chunks, frames = zip(*evaluate_representatives(plan, combinations, workload), strict=True)
    assert len(chunks) > workload.processes
    np.testing.assert_array_equal(np.concatenate(chunks), combinations)
    assert_frame_equal(pl.concat(frames), evaluate(plan, combinations)[1], check_exact=True)
