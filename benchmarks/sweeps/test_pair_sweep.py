"""The engine's sweep of the pair against a usual vectorbt script: equal results first, then speed and peak memory.

Both get the same aligned closes of the simulated market, each in a fresh process, one after the other. The engine is
told to stay within a quarter of the memory that the script takes.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks.sweeps.measure import PAIR
from engine.sweep import load_grid, strategy_panel
from parquet_store import open_store
from parquet_store.simulation import write_simulated

ROOT = Path(__file__).parents[2]

FULL = (20, 10, 2, 5)
"""Values on each axis: 2,000 combinations."""

QUICK = (3, 2, 2, 2)
ROUNDS = 3
PRECISION = 1e-9
COMPARED = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "trades")

LEAST_SPEEDUP = 3.0
LARGEST_SHARE = 0.25
QUICK_MEMORY = 1_000_000_000


@pytest.fixture(scope="module")
def closes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the simulated closes that the shipped grid reads and trades."""
    folder = tmp_path_factory.mktemp("sweeps")
    store = open_store(folder / "store", create=True)
    write_simulated(store)
    grid = load_grid(PAIR)
    panel = strategy_panel(store, grid.strategy, grid.sample)
    frame = pl.DataFrame({"date": panel.dates, **{name: panel.values(name) for name in grid.strategy.series}})
    path = folder / "closes.parquet"
    frame.write_parquet(path)
    return path


def measure(contestant: str, closes: Path, memory: int, counts: tuple[int, ...]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Run one contestant in a fresh process and return its results and what it took."""
    out = closes.with_name(f"{contestant}.parquet")
    arguments = [contestant, closes, out, memory, *counts]
    command = [sys.executable, "-m", "benchmarks.sweeps.measure", *map(str, arguments)]
    finished = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return pl.read_parquet(out), json.loads(finished.stdout)


def assert_equal(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    """Hold every metric to 1e-9, relative where it is greater than 1."""
    assert ours.height == theirs.height
    assert not any(ours.select(COMPARED).null_count().row(0))
    for name in COMPARED:
        found, expected = ours[name].to_numpy(), theirs[name].to_numpy()
        assert np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))) <= PRECISION, name


@pytest.mark.parametrize("backend", ["vectorbt", "fused"])
def test_pair_sweep(backend: str, closes: Path, benchmark: Any, lines: list[str]) -> None:
    counts = FULL if benchmark.enabled else QUICK
    speedups, shares = [], []
    ours: list[tuple[pl.DataFrame, dict[str, Any]]] = []
    theirs: list[tuple[pl.DataFrame, dict[str, Any]]] = []

    def let_the_script_go_first() -> None:
        theirs.append(measure("script", closes, 0, counts))

    def sweep() -> None:
        memory = int(LARGEST_SHARE * theirs[-1][1]["peak_bytes"]) if benchmark.enabled else QUICK_MEMORY
        ours.append(measure(backend, closes, memory, counts))

    benchmark.pedantic(sweep, setup=let_the_script_go_first, rounds=ROUNDS)
    for (our_results, our_cost), (their_results, their_cost) in zip(ours, theirs, strict=True):
        assert_equal(our_results, their_results)
        speedups.append(their_cost["seconds"] / our_cost["seconds"])
        shares.append(our_cost["peak_bytes"] / their_cost["peak_bytes"])
    if not benchmark.enabled:
        return

    speedup, share = statistics.median(speedups), max(shares)
    for name, runs in ((f"engine, {backend}", ours), ("usual script", theirs)):
        seconds = statistics.median(cost["seconds"] for _, cost in runs)
        peak = max(cost["peak_bytes"] for _, cost in runs)
        lines.append(f"{name:<18} {runs[0][0].height / seconds:>9,.0f} combinations a second  {peak / 1e6:>6,.0f} MB")
    lines.append(f"{'':<18} {speedup:>8.1f}x the speed, {share:.2f} of the memory")
    benchmark.extra_info.update(speedup=speedup, share_of_memory=share)
    assert speedup >= LEAST_SPEEDUP
    assert share <= LARGEST_SHARE
