import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.sweep import SweepError, load_grid, parse_keep, run_sweep
from engine.sweep.ledger import trials_of_strategy
from engine.sweep.neighbours import neighbours_of
from engine.sweep.refinement import best_plateau, refined_grid, write_refined_grid
from parquet_store import Store
from sql import query
from tests.conftest import Engine
from tests.report.sweeps import pair_grid

AXES = {
    "xlf_dma": [150, 170, 190, 210, 230, 250],
    "hyg_drawdown": [-0.02, -0.03, -0.04, -0.05],
    "basket_weights": ["equal", "market_cap"],
    "stop_loss": [-0.10, -0.12, -0.15, -0.20],
}


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sweep here is held to vectorbt, but on a few combinations."""
    monkeypatch.setattr("engine.sweep.verification.CHECKED_BEST", 10)
    monkeypatch.setattr("engine.sweep.run.CHECKED_AT_RANDOM", 20)


@pytest.mark.parametrize(("metric", "looked_at"), [("sharpe", 5), ("sharpe", 500), ("volatility", 1)])
def test_the_best_plateau_is_that_of_a_search_through_all(
    simulated_store: Store, monkeypatch: pytest.MonkeyPatch, metric: str, looked_at: int
) -> None:
    monkeypatch.setattr("engine.sweep.refinement.LOOKED_AT", looked_at)
    sweep = run_sweep(simulated_store, pair_grid(AXES).ranked_by(metric), backend="fused")
    worst = -np.inf if metric == "sharpe" else np.inf
    usable = pl.when((pl.col("trades") > 0) & pl.col(metric).is_not_null()).then(pl.col(metric)).otherwise(worst)
    values = sweep.results.select(usable.alias("value"))["value"].to_numpy()
    medians = [np.median(values[neighbours_of(AXES, number)]) for number in range(len(values))]
    found = best_plateau(sweep)
    assert found.median == (max(medians) if metric == "sharpe" else min(medians))
    assert found.combination == (np.argmax(medians) if metric == "sharpe" else np.argmin(medians))


def test_the_finer_grid_reaches_from_neighbour_to_neighbour(simulated_store: Store) -> None:
    sweep = run_sweep(simulated_store, pair_grid(AXES), backend="fused")
    plateau = best_plateau(sweep)
    middle = dict(zip(AXES, sweep.plan.digits(np.array([plateau.combination]))[0].tolist(), strict=True))
    finer = refined_grid(sweep, plateau, 4)
    for name, values in finer.axes.items():
        coarse, at = AXES[name], middle[name]
        if name == "basket_weights":
            assert values == (coarse[at],)
            continue
        low, high = coarse[max(at - 1, 0)], coarse[min(at + 1, len(coarse) - 1)]
        assert (values[0], values[-1]) == (low, high)
        assert len(values) == 4 * (min(at + 1, len(coarse) - 1) - max(at - 1, 0)) + 1
        assert all(isinstance(value, type(coarse[0])) for value in values)
    _, path, told = write_refined_grid(simulated_store, sweep, 4)
    assert load_grid(path).hash() == finer.hash()
    assert f"xlf_dma {AXES['xlf_dma'][middle['xlf_dma']]}" in told
    thirds = refined_grid(sweep, plateau, 3)
    assert thirds.size > 1


def test_a_sweep_with_dropped_results_cannot_be_refined(simulated_store: Store) -> None:
    grid = pair_grid({"xlf_dma": [151, 171, 191]})
    sweep = run_sweep(simulated_store, grid, backend="fused", keep=parse_keep("none"))
    with pytest.raises(SweepError, match=r"--keep all and without sample"):
        best_plateau(sweep)
    words = run_sweep(simulated_store, pair_grid({"basket_weights": ["equal", "market_cap"]}), backend="fused")
    with pytest.raises(SweepError, match=r"no parameter with numbers"):
        write_refined_grid(simulated_store, words, 2)
    idle = run_sweep(simulated_store, pair_grid({"hyg_drawdown": [-0.9, -0.8]}), backend="fused")
    with pytest.raises(SweepError, match=r"no combination trades"):
        write_refined_grid(simulated_store, idle, 2)


def test_the_command_sweeps_both_and_counts_the_trials_of_both(
    engine: Engine, fresh_simulated_store: Store, tmp_path: Path
) -> None:
    grid = tmp_path / "coarse.toml"
    grid.write_text('[strategy]\nname = "pair"\n[grid]\nxlf_dma = [150, 200, 250]\nstop_loss = [-0.1, -0.2]\n')
    done = engine(
        "sweep", "--grid", grid, "--store", fresh_simulated_store.root, "--refine", 2, "--format", "json", "--no-report"
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    runs = query(fresh_simulated_store, 'SELECT run_id, grid_name, "distinct" FROM sweep_runs ORDER BY started_at')
    assert runs["grid_name"].to_list() == ["coarse", "coarse_refined"]
    assert (said["refined_from"], said["run_id"]) == tuple(runs["run_id"].to_list())
    assert said["scrutiny"]["deflated_sharpe"]["trials"] == runs["distinct"].sum()
    assert trials_of_strategy(fresh_simulated_store, "pair") == runs["distinct"].sum()
    assert "the best plateau" in done.stderr
    assert "refined grid: " in done.stderr
