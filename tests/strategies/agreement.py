"""Hold a strategy of the engine, by vectorbt and by the fused loop, to its plain reference and to what was known."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import Panel
from engine.strategies import read_condition
from engine.sweep import Plan, load_grid, parse_grid, plan_from_panel, posture_paths
from engine.sweep.fused_backend import evaluate_combinations, make_evaluator
from engine.sweep.vectorbt_backend import evaluate_paths
from tests.references.pair import Metrics
from tests.strategies.panels import cut

CONFIGS = Path(__file__).parents[2] / "configs"

PRECISION = 1e-9

Reference = Callable[..., tuple[list[int], Metrics]]
"""From closes by series and parameters to the posture held after each close, and the metrics."""


def agree_on_shipped_grid(name: str, reference: Reference, panel: Panel, *, count: int, seed: int) -> set[int]:
    """Compare random combinations of a shipped grid; return the postures that were held."""
    plan = plan_from_panel(panel, load_grid(CONFIGS / f"{name}.toml"))
    combinations = np.arange(plan.grid.size)
    combinations = combinations[plan.is_feasible(combinations)]
    chosen = np.sort(np.random.default_rng(seed).choice(combinations, count, replace=False))
    return _agree(plan, chosen, reference)


def agree_on_parameters(name: str, reference: Reference, panel: Panel, parameters: Mapping[str, Any]) -> set[int]:
    """Compare one set of parameters; return the postures that were held."""
    return _agree(single(name, panel, parameters, cost_bps=7.0), np.zeros(1, np.int64), reference)


def single(name: str, panel: Panel, parameters: Mapping[str, Any], *, cost_bps: float = 0.0) -> Plan:
    """Plan one combination."""
    grid = {"strategy": {"name": name, **parameters}, "costs": {"commission_bps": cost_bps}}
    return plan_from_panel(panel, parse_grid(grid))


def path(name: str, panel: Panel, parameters: Mapping[str, Any]) -> NDArray[np.int8]:
    """Posture held after each close."""
    return posture_paths(single(name, panel, parameters), np.zeros(1, np.int64))[0]


def is_causal(name: str, panel: Panel, parameters: Mapping[str, Any], *, cuts: int, seed: int) -> bool:
    """Tell whether conditions and postures of the past stay what they were as the panel grows."""
    whole = single(name, panel, parameters)
    strategy, values = whole.grid.strategy, dict(whole.grid.fixed)
    full_path = path(name, panel, parameters)
    for sessions in np.random.default_rng(seed).integers(2, len(panel.dates), cuts).tolist():
        past = cut(panel, sessions)
        if not np.array_equal(path(name, past, parameters), full_path[:sessions]):
            return False
        for condition in strategy.conditions:
            then, now = read_condition(condition, past, values), read_condition(condition, panel, values)
            if not np.array_equal(then.value, now.value[:sessions], equal_nan=True):
                return False
    return True


def _agree(plan: Plan, combinations: NDArray[np.int64], reference: Reference) -> set[int]:
    rows = plan.rows(combinations)
    paths = posture_paths(plan, combinations)
    by_backend = {
        "vectorbt": evaluate_paths(plan.market, paths, rows.weights, rows.daily),
        "fused": evaluate_combinations(make_evaluator(plan), combinations),
    }
    closes = {name: tuple(plan.panel.values(name).tolist()) for name in plan.panel.columns}
    fixed = plan.grid.fixed.model_dump()
    named = plan.parameters(combinations) if plan.grid.axes else pl.DataFrame([{}] * len(combinations))
    seen: set[int] = set()
    for number in range(len(combinations)):
        values = {**fixed, **(named.row(number, named=True) if plan.grid.axes else {})}
        postures, expected = reference(closes, cost=plan.grid.costs.rate, **values)
        assert paths[number].tolist() == postures, f"postures differ for {values}"
        for backend, metrics in by_backend.items():
            found = metrics.row(number, named=True)
            assert found.keys() == expected.keys()
            for metric, value in expected.items():
                told = f"{metric} is {found[metric]} by {backend}, should be {value} for {values}"
                assert _is_close(found[metric], value), told
        seen.update(postures)
    return seen


def _is_close(value: float | None, expected: float | None) -> bool:
    """Equal to 1e-9, relative to what is greater than 1; nothing equals nothing only."""
    if value is None or expected is None:
        return value is expected
    return abs(value - expected) <= PRECISION * max(1.0, abs(expected))
