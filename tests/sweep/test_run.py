from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.metrics import GROSS_METRICS, METRICS
from engine.panel import PanelError
from engine.sweep import (
    Grid,
    GridError,
    SweepError,
    make_plan,
    parse_grid,
    posture_paths,
    run_sweep,
    summarise,
    sweep,
)
from engine.sweep.accounting import account
from engine.sweep.evaluation import choose_backend
from engine.sweep.fused_backend import evaluate_combinations
from engine.sweep.fused_blocks import evaluate_blocks, split
from engine.sweep.ledger import find_run, trials_of_strategy
from engine.sweep.vectorbt_backend import simulate
from engine.sweep.verification import VerificationError
from engine.sweep.workers import BASE_BYTES, MemoryBudgetError, plan_workload
from kernels import rolling_mean
from parquet_store import Store, open_store
from sql import query

AXES = {"xlf_dma": [150, 200], "hyg_drawdown": [-0.02, -0.03, -0.05], "stop_loss": [-0.10, -0.15]}
SAMPLE = {"first": date(2018, 1, 2), "last": date(2026, 3, 6)}


def pair_grid(axes: dict[str, object] = AXES, **tables: dict[str, object]) -> Grid:
    costs = {"commission_bps": 1.0, "slippage_bps": 1.0}
    content = {"strategy": {"name": "pair"}, "grid": axes, "sample": SAMPLE, "costs": costs, **tables}
    return parse_grid(content, name="test")


def test_results_have_one_row_a_combination_under_the_agreed_names(simulated_store: Store) -> None:
    results = sweep(simulated_store, pair_grid())
    names = [metric.name for metric in METRICS]
    assert results.columns == ["combination", *AXES, "hindsight", *names, *GROSS_METRICS]
    assert results["combination"].to_list() == list(range(12))
    assert results["xlf_dma"].to_list() == [150] * 6 + [200] * 6
    assert results["trades"].min() > 0
    assert results.filter(pl.col("total_return") > pl.col("gross_total_return")).is_empty()


def test_one_combination_is_a_sweep_of_size_one(simulated_store: Store) -> None:
    alone = sweep(simulated_store, pair_grid({}, strategy={"name": "pair", "xlf_dma": 200, "hyg_drawdown": -0.05}))
    among = sweep(simulated_store, pair_grid()).filter(
        (pl.col("xlf_dma") == 200) & (pl.col("hyg_drawdown") == -0.05) & (pl.col("stop_loss") == -0.15)
    )
    columns = [metric.name for metric in METRICS]
    assert_frame_equal(alone.select(columns), among.select(columns), check_exact=True)


def test_results_do_not_depend_on_processes_or_chunks(fresh_simulated_store: Store) -> None:
    plan = make_plan(fresh_simulated_store, pair_grid())
    chunk_of_one = BASE_BYTES + 3_000_000
    assert plan_workload(plan, 12, memory=chunk_of_one).chunk == 1
    whole = run_sweep(fresh_simulated_store, pair_grid()).results
    single = run_sweep(fresh_simulated_store, pair_grid(), memory=chunk_of_one, anew=True).results
    parallel = run_sweep(fresh_simulated_store, pair_grid(), jobs=2, anew=True).results
    assert_frame_equal(whole, single, check_exact=True)
    assert_frame_equal(whole, parallel, check_exact=True)


def test_second_call_is_answered_from_the_ledger(fresh_simulated_store: Store) -> None:
    first, second = (run_sweep(fresh_simulated_store, pair_grid()) for _ in range(2))
    assert not first.reused
    assert second.reused
    assert_frame_equal(first.results, second.results, check_exact=True)
    assert query(fresh_simulated_store, "SELECT count(*) AS n FROM sweep_results")["n"].item() == 12
    assert not run_sweep(fresh_simulated_store, pair_grid(), anew=True).reused
    assert query(fresh_simulated_store, "SELECT count(*) AS n FROM sweep_runs")["n"].item() == 2


def test_interrupted_sweep_goes_on_where_it_stopped(fresh_simulated_store: Store) -> None:
    grid = pair_grid()
    seen: list[int] = []

    def stop_after_two_chunks(finished: int, total: int) -> None:
        assert total == 12
        seen.append(finished)
        if len(seen) == 2:
            raise KeyboardInterrupt

    chunk_of_one = BASE_BYTES + 3_000_000
    with pytest.raises(KeyboardInterrupt):
        run_sweep(fresh_simulated_store, grid, memory=chunk_of_one, progress=stop_after_two_chunks)
    runs = query(fresh_simulated_store, "SELECT run_id, status FROM sweep_runs")
    assert runs["status"].to_list() == ["interrupted"]
    kept = query(fresh_simulated_store, "SELECT combination FROM sweep_results")["combination"].to_list()
    assert len(kept) == seen[-1] > 0
    resumed = run_sweep(fresh_simulated_store, grid)
    assert resumed.run.run_id == runs["run_id"].item()
    assert resumed.run.status == "complete"
    assert_frame_equal(resumed.results, run_sweep(fresh_simulated_store, grid, anew=True).results, check_exact=True)


def test_abandoned_trials_count_and_hide_no_finished_ones(fresh_simulated_store: Store) -> None:
    def stop_after_one_chunk(finished: int, total: int) -> None:
        if 0 < finished < total:
            raise KeyboardInterrupt

    def abandon(grid: Grid, *, anew: bool = False) -> None:
        with pytest.raises(KeyboardInterrupt):
            run_sweep(
                fresh_simulated_store, grid, memory=BASE_BYTES + 3_000_000, progress=stop_after_one_chunk, anew=anew
            )

    finished = run_sweep(fresh_simulated_store, pair_grid()).run.distinct
    assert finished > 1
    abandon(pair_grid(), anew=True)
    assert trials_of_strategy(fresh_simulated_store, "pair") == finished
    abandon(pair_grid({**AXES, "xlf_dma": [170, 230]}))
    assert trials_of_strategy(fresh_simulated_store, "pair") == finished + 1


def test_ledger_row_says_what_was_run(fresh_simulated_store: Store) -> None:
    run = run_sweep(fresh_simulated_store, pair_grid()).run
    row = query(fresh_simulated_store, "SELECT * FROM sweep_runs").row(0, named=True)
    assert row["run_id"] == run.run_id
    assert row["grid_hash"] == pair_grid().hash()
    assert (row["backend"], row["combinations"], row["status"]) == ("vectorbt", 12, "complete")
    assert (row["first"], row["last"], row["sessions"]) == (date(2018, 1, 2), date(2026, 3, 6), 2055)
    assert row["simulated"] is True
    assert row["seconds"] > 0
    assert row["data_seen_at"] is not None
    assert find_run(fresh_simulated_store, run.key) == run


def test_combination_that_never_trades_has_nulls_and_is_counted(fresh_simulated_store: Store) -> None:
    finished = run_sweep(fresh_simulated_store, pair_grid({"hyg_drawdown": [-0.9, -0.03]}))
    idle = finished.results.row(0, named=True)
    assert idle["trades"] == 0
    assert all(idle[name] is None for name in ("sharpe", "sortino", "calmar", "return_to_vol", "hit_rate"))
    assert (idle["total_return"], idle["volatility"], idle["max_drawdown"], idle["turnover"]) == (0.0, 0.0, 0.0, 0.0)
    numbers = finished.results.select(pl.selectors.float())
    assert numbers.select(pl.all().is_infinite().any() | pl.all().is_nan().any()).row(0) == (False,) * numbers.width
    assert summarise(fresh_simulated_store, finished).never_traded == 1


def test_nothing_that_trades_leaves_nothing_to_rank(fresh_simulated_store: Store) -> None:
    finished = run_sweep(fresh_simulated_store, pair_grid({"hyg_drawdown": [-0.9, -0.8]}))
    summary = summarise(fresh_simulated_store, finished)
    assert summary.best.is_empty()
    assert summary.scrutiny is None
    assert summary.positive is None


def test_combinations_without_a_meaning_are_left_out_and_counted(fresh_simulated_store: Store) -> None:
    finished = run_sweep(fresh_simulated_store, pair_grid({"vix_fast": [20, 50], "vix_slow": [40, 50]}))
    assert finished.results.select("vix_fast", "vix_slow").rows() == [(20, 40), (20, 50)]
    assert summarise(fresh_simulated_store, finished).without_meaning == 2


@pytest.mark.parametrize("rebalance", ["daily", "entry"])
def test_accounting_agrees_with_vectorbt(simulated_store: Store, rebalance: str) -> None:
    plan = make_plan(simulated_store, pair_grid(strategy={"name": "pair", "rebalance": rebalance}))
    combinations = np.arange(plan.grid.size)
    rows = plan.rows(combinations)
    paths = posture_paths(plan, combinations)
    ours, _ = account(plan.market, paths, rows.weights, rows.daily)
    theirs = simulate(plan.market, paths, rows.weights, rows.daily)
    assert np.count_nonzero(ours) > 100
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


def test_warm_up_before_the_sample_defines_its_first_session(simulated_store: Store) -> None:
    for warmup, defined in (("inside", False), ("before", True)):
        panel = make_plan(simulated_store, pair_grid({}, sample={**SAMPLE, "warmup": warmup})).panel
        assert panel.sample_dates[0] == np.datetime64("2018-01-02")
        assert np.isfinite(panel.indicator(rolling_mean, "XLF", 200)[panel.start]) == defined


def test_as_of_gives_what_that_moment_would_have_given(fresh_simulated_store: Store) -> None:
    moment = datetime(2020, 6, 30, 22, tzinfo=UTC)
    then = run_sweep(fresh_simulated_store, pair_grid(sample={"first": date(2015, 1, 2)}), as_of=moment)
    cut = pair_grid(sample={"first": date(2015, 1, 2), "last": date(2020, 6, 30)})
    assert then.run.last == date(2020, 6, 30)
    assert_frame_equal(then.results, run_sweep(fresh_simulated_store, cut).results, check_exact=True)


def test_too_large_for_vectorbt(simulated_store: Store) -> None:
    axes = {"xlf_dma": {"start": 100, "stop": 1099, "step": 1}, "vix_slow": {"start": 30, "stop": 10_029, "step": 1}}
    with pytest.raises(SweepError, match=r"10,000,000 combinations.*hours.*--backend fused"):
        run_sweep(simulated_store, pair_grid(axes), backend="vectorbt")


def test_memory_budget_too_small_is_said_before_anything_is_done(fresh_simulated_store: Store) -> None:
    with pytest.raises(MemoryBudgetError, match=r"100 MB is too small.*at least"):
        run_sweep(fresh_simulated_store, pair_grid(), backend="fused", memory=100_000_000)
    assert not fresh_simulated_store.folder("sweep_runs").exists()


def test_series_that_the_store_lacks(tmp_path: object) -> None:
    empty = open_store(f"{tmp_path}/empty", create=True)
    with pytest.raises(PanelError, match=r"XLF, HYG.* are not in the store.*fetch --series XLF.*import"):
        run_sweep(empty, pair_grid())


def test_sample_without_data(simulated_store: Store) -> None:
    with pytest.raises(PanelError, match=r"2031-01-01..2032-01-01.*the store has 2005"):
        run_sweep(simulated_store, pair_grid(sample={"first": date(2031, 1, 1), "last": date(2032, 1, 1)}))


def test_market_cap_weights_need_their_numbers_and_are_flagged(fresh_simulated_store: Store) -> None:
    axes = {"basket_weights": ["equal", "market_cap"]}
    with pytest.raises(Exception, match=r"market_cap.*\[strategy.market_cap\]"):
        run_sweep(fresh_simulated_store, pair_grid(axes))
    caps = {"date": date(2026, 5, 3), "XLE": 43.60, "XLB": 6.54, "XLU": 24.42}
    finished = run_sweep(fresh_simulated_store, pair_grid(axes, strategy={"name": "pair", "market_cap": caps}))
    assert finished.results["hindsight"].to_list() == [False, True]
    assert any(
        "2026-05-03" in note and "hindsight" in note for note in summarise(fresh_simulated_store, finished).notes
    )


def test_metric_to_rank_by(fresh_simulated_store: Store) -> None:
    finished = run_sweep(fresh_simulated_store, pair_grid())
    for metric, descending in (("calmar", True), ("max_drawdown", True), ("volatility", False)):
        ranked = summarise(fresh_simulated_store, finished, metric=metric).best[metric]
        assert ranked.to_list() == ranked.sort(descending=descending).to_list()
    with pytest.raises(GridError, match=r"beauty.*sharpe"):
        summarise(fresh_simulated_store, finished, metric="beauty")


def test_ledger_keeps_a_changed_code_apart(fresh_simulated_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_sweep(fresh_simulated_store, pair_grid())
    monkeypatch.setattr("engine.sweep.ledger.code_version", lambda: "0.0.0+changed")
    second = run_sweep(fresh_simulated_store, pair_grid())
    assert not second.reused
    assert replace(first.run, seconds=0.0) != replace(second.run, seconds=0.0)


@pytest.mark.parametrize("rebalance", ["daily", "entry"])
def test_fused_sweep_gives_the_numbers_of_vectorbt(fresh_simulated_store: Store, rebalance: str) -> None:
    grid = pair_grid({**AXES, "hyg_drawdown": [-0.9, -0.02, -0.05]}, strategy={"name": "pair", "rebalance": rebalance})
    by_vectorbt = run_sweep(fresh_simulated_store, grid, backend="vectorbt").results
    fused = run_sweep(fresh_simulated_store, grid, backend="fused")
    assert fused.run.backend == "fused"
    assert not fused.reused
    assert fused.results.columns == by_vectorbt.columns
    assert_frame_equal(fused.results, by_vectorbt, rel_tol=1e-11, abs_tol=1e-12)


def test_one_pass_gives_the_same_bits(fresh_simulated_store: Store) -> None:
    with pytest.raises(SweepError, match=r"one pass is a form of the fused loop.*use --backend fused"):
        run_sweep(fresh_simulated_store, pair_grid(), one_pass=True)
    jumping = run_sweep(fresh_simulated_store, pair_grid(), backend="fused").results
    one_pass = run_sweep(fresh_simulated_store, pair_grid(), backend="fused", one_pass=True, anew=True).results
    assert_frame_equal(one_pass, jumping, check_exact=True)


def test_fused_results_do_not_depend_on_threads_or_blocks(
    simulated_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(simulated_store, pair_grid())
    combinations = np.arange(plan.grid.size)
    whole = pl.concat([metrics for _, metrics in evaluate_blocks(plan, split(combinations), threads=1)])
    monkeypatch.setattr("engine.sweep.fused_blocks.BLOCK", 5)
    parts = pl.concat([metrics for _, metrics in evaluate_blocks(plan, split(combinations), threads=2)])
    assert_frame_equal(whole, parts, check_exact=True)


def test_fused_sweep_that_differs_from_vectorbt_fails(
    fresh_simulated_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slightly_wrong(*arguments: Any) -> pl.DataFrame:
        return evaluate_combinations(*arguments).with_columns(pl.col("sortino") + 1e-8)

    monkeypatch.setattr("engine.sweep.fused_blocks.evaluate_combinations", slightly_wrong)
    with pytest.raises(VerificationError, match=r"1e-08 in sortino"):
        run_sweep(fresh_simulated_store, pair_grid(), backend="fused")
    monkeypatch.undo()
    again = run_sweep(fresh_simulated_store, pair_grid(evaluate={"metric": "calmar"}), backend="fused")
    runs = query(fresh_simulated_store, "SELECT run_id, status FROM sweep_runs ORDER BY started_at")
    assert runs["status"].to_list() == ["failed", "complete"]
    assert runs["run_id"].to_list()[1] == again.run.run_id
    anew = run_sweep(fresh_simulated_store, pair_grid(), backend="fused", anew=True)
    assert_frame_equal(again.results, anew.results, check_exact=True)


def test_same_sweep_in_another_process_is_refused(fresh_simulated_store: Store) -> None:
    refusals: list[str] = []

    def sweep_meanwhile(finished: int, total: int) -> None:
        if finished < total:
            with pytest.raises(SweepError) as refused:
                run_sweep(fresh_simulated_store, pair_grid())
            refusals.append(str(refused.value))
            run_sweep(fresh_simulated_store, pair_grid({"xlf_dma": [170]}))  # another grid may be swept meanwhile

    results = run_sweep(fresh_simulated_store, pair_grid(), progress=sweep_meanwhile).results
    assert "another process is sweeping test" in refusals[0]
    assert results["combination"].to_list() == list(range(12))


def test_auto_takes_vectorbt_for_small_grids_and_the_fused_loop_beyond() -> None:
    assert choose_backend(pair_grid(), "auto") == "vectorbt"
    assert choose_backend(square_grid(200), "auto") == "fused"
    assert choose_backend(square_grid(3000), "auto") == "fused"
    with pytest.raises(SweepError, match=r"days: draw sample = \d+ of them in \[evaluate\].*--cluster"):
        choose_backend(square_grid(1_000_000), "auto")


def square_grid(side: int) -> Grid:
    values = {"start": 2, "stop": side + 1, "step": 1}
    return pair_grid({"xlf_dma": values, "vix_slow": values})
