"""A sweep whose results go by: what is stored, what is counted, and what is left when it is stopped."""

import json
import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from engine.metrics import METRICS
from engine.report.page import report_html
from engine.sweep import Grid, SweepError, SweepRun, parse_keep, run_sweep, summarise
from engine.sweep.keep import KeepError
from engine.sweep.ledger import trials_of_strategy
from engine.sweep.neighbours import neighbour_medians, neighbours_of
from engine.sweep.progress_file import read_progress
from parquet_store import FileEntry, Store, append, read_manifest
from sql import query
from tests.conftest import Engine
from tests.sweep.stopped import stop_sweep
from tests.sweep.test_run import pair_grid

AXES = {
    "xlf_dma": {"start": 150, "stop": 250, "step": 10},
    "hyg_drawdown": [-0.02, -0.03, -0.05, -0.9],
    "stop_loss": {"start": -0.10, "stop": -0.20, "step": -0.005},
}
GRID = """
[strategy]
name = "pair"
[grid]
xlf_dma = { start = 150, stop = 250, step = 1 }
hyg_drawdown = { start = -0.02, stop = -0.05, step = -0.001 }
stop_loss = { start = -0.10, stop = -0.20, step = -0.0005 }
[sample]
first = 2018-01-02
last = 2026-03-06
[costs]
commission_bps = 1.0
"""


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sweep here is held to vectorbt, but on a few combinations."""
    monkeypatch.setattr("engine.sweep.verification.CHECKED_BEST", 10)
    monkeypatch.setattr("engine.sweep.run.CHECKED_AT_RANDOM", 20)


def fused(store: Store, grid: Grid, keep: str = "all", **options: object) -> SweepRun:
    return run_sweep(store, grid, backend="fused", keep=parse_keep(keep), **options)


@pytest.fixture(scope="module")
def whole(simulated_store: Store) -> SweepRun:
    return fused(simulated_store, pair_grid(AXES))


def small_blocks(monkeypatch: pytest.MonkeyPatch, size: int = 50) -> None:
    for module in ("fused_blocks", "combinations"):
        monkeypatch.setattr(f"engine.sweep.{module}.BLOCK", size)


def test_stored_types_are_narrow_and_read_types_are_wide(simulated_store: Store, whole: SweepRun) -> None:
    entry = next(e for e in read_manifest(simulated_store).files if e.run_id == whole.run.run_id and e.rows > 1)
    assert f"/run={whole.run.run_id}/" in entry.path
    stored = pl.read_parquet_schema(simulated_store.root / entry.path)
    assert (stored["xlf_dma"], stored["combination"], stored["trades"]) == (pl.UInt8, pl.UInt16, pl.UInt16)
    assert stored["sharpe"] == stored["stop_loss"] == pl.Float64
    read = whole.results.schema
    assert (read["xlf_dma"], read["combination"], read["trades"]) == (pl.Int64, pl.Int64, pl.Int32)


def test_what_is_dropped_is_counted_and_changes_no_figure(
    simulated_store: Store, fresh_simulated_store: Store, whole: SweepRun
) -> None:
    expected = whole.results
    assert whole.run.tried == whole.run.stored == expected.height == whole.plan.grid.size
    told = summarise(simulated_store, whole)
    for keep, stored in (("none", 0), ("top:30", 30), ("sample:100", 100)):
        swept = fused(fresh_simulated_store, pair_grid(AXES), keep)
        assert (swept.run.keep, swept.run.stored, swept.run.tried) == (keep, stored, expected.height)
        held = query(fresh_simulated_store, "SELECT * FROM sweep_results WHERE run_id = ?", params=[swept.run.run_id])
        assert held.height == stored
        for name in ("distinct", "never_traded", "positive_count"):
            assert getattr(swept.run, name) == getattr(whole.run, name) > 0
        summary = summarise(fresh_simulated_store, swept)
        assert_frame_equal(summary.best, told.best, check_exact=True)
        assert (summary.positive, summary.never_traded) == (told.positive, told.never_traded)
        assert any(
            f"{expected.height - stored:,} of {expected.height:,} results were counted" in n for n in summary.notes
        )
        assert not summary.exact
        for mine, exact in zip(summary.distribution.rows(), told.distribution.rows(), strict=True):
            # The exact quantile lies between two values; the counts give the lower of the two, cut.
            values = expected.filter(pl.col("trades") > 0)[exact[0]].sort()
            assert mine[1] == exact[1]
            assert mine[-1] == exact[-1]
            assert mine[4] == pytest.approx(values[int(0.5 * (len(values) - 1))], rel=1e-3)
        assert summary.scrutiny.compared.tolist() == told.scrutiny.compared.tolist()
        assert summary.scrutiny.walk_forward.total_return == told.scrutiny.walk_forward.total_return
        assert summary.scrutiny.deflated_sharpe.trials == whole.run.distinct
        assert report_html(swept, summary).startswith("<!doctype html>")


def test_the_best_are_stored_by_their_first_combination(fresh_simulated_store: Store, whole: SweepRun) -> None:
    swept = fused(fresh_simulated_store, pair_grid(AXES), "top:30")
    stored = query(fresh_simulated_store, "SELECT * EXCLUDE (run_id, seen_at) FROM sweep_results ORDER BY combination")
    names = [metric.name for metric in METRICS]
    trials = whole.results.filter(pl.col("trades") > 0).group_by(names).agg(pl.col("combination").min(), pl.len())
    best = trials.sort("sharpe", "combination", descending=[True, False]).head(30).sort("combination")
    assert stored["combination"].to_list() == best["combination"].to_list()
    assert stored["alike"].to_list() == best["len"].to_list()
    same = whole.results.filter(pl.col("combination").is_in(best["combination"].implode()))
    assert_frame_equal(swept.results.drop("alike"), same, check_exact=True)


def test_another_ranking_needs_all_results(fresh_simulated_store: Store) -> None:
    swept = fused(fresh_simulated_store, pair_grid(AXES), "top:30")
    assert fused(fresh_simulated_store, pair_grid(AXES), "top:30").reused
    with pytest.raises(SweepError, match=r"ranked by sharpe and keeps top:30.*--metric calmar"):
        summarise(fresh_simulated_store, swept, metric="calmar")
    by_calmar = pair_grid(AXES, evaluate={"metric": "calmar"})
    assert not fused(fresh_simulated_store, by_calmar, "top:30").reused
    everything = fused(fresh_simulated_store, pair_grid(AXES))
    assert not everything.reused
    assert fused(fresh_simulated_store, by_calmar, "none").reused  # a run that stored everything serves every wish
    ranked = summarise(fresh_simulated_store, everything, metric="calmar").best
    own = summarise(fresh_simulated_store, fused(fresh_simulated_store, by_calmar, anew=True)).best
    assert_frame_equal(ranked, own, check_exact=True)


def test_lost_statistics_come_back_from_the_stored_results(fresh_simulated_store: Store) -> None:
    swept = fused(fresh_simulated_store, pair_grid(AXES))
    path = fresh_simulated_store.root / "sweeps" / f"{swept.run.run_id}.progress"
    path.write_bytes(path.read_bytes()[:-100])
    assert read_progress(fresh_simulated_store, swept.run.run_id) is None
    again = fused(fresh_simulated_store, pair_grid(AXES))
    assert again.reused
    assert again.statistics.to_bytes() == swept.statistics.to_bytes()
    none = fused(fresh_simulated_store, pair_grid(AXES, costs={"commission_bps": 7.0}), "none")
    (fresh_simulated_store.root / "sweeps" / f"{none.run.run_id}.progress").unlink()
    with pytest.raises(SweepError, match=r"counted is lost.*--anew"):
        fused(fresh_simulated_store, pair_grid(AXES, costs={"commission_bps": 7.0}), "none")


@pytest.mark.parametrize("keep", ["all", "top:30", "sample:100", "none"])
def test_an_interrupted_sweep_goes_on_and_ends_the_same(
    fresh_simulated_store: Store, whole: SweepRun, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    small_blocks(monkeypatch)
    calls: list[int] = []

    def stop(finished: int, total: int) -> None:  # noqa: ARG001
        calls.append(finished)
        if len(calls) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fused(fresh_simulated_store, pair_grid(AXES), keep, progress=stop)
    row = query(fresh_simulated_store, "SELECT status, tried, stored FROM sweep_runs").row(0, named=True)
    assert row["status"] == "interrupted"
    assert row["tried"] == calls[-1] > 0
    seen: list[int] = []
    resumed = fused(fresh_simulated_store, pair_grid(AXES), keep, progress=lambda done, _: seen.append(done))
    assert seen[0] == calls[-1]
    assert resumed.statistics.to_bytes() == whole.statistics.to_bytes() or keep == "top:30"
    assert resumed.run.distinct == whole.run.distinct
    if keep == "all":
        assert_frame_equal(resumed.results, whole.results, check_exact=True)
    stored = resumed.results["combination"]
    assert stored.n_unique() == stored.len() == resumed.run.stored


def test_results_stored_after_the_last_note_are_not_stored_twice(
    fresh_simulated_store: Store, whole: SweepRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch)

    def stop(finished: int, total: int) -> None:  # noqa: ARG001
        if finished > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fused(fresh_simulated_store, pair_grid(AXES), progress=stop)
    for noted in (fresh_simulated_store.root / "sweeps").glob("*.progress"):
        noted.unlink()
    assert trials_of_strategy(fresh_simulated_store, "pair") > 1
    resumed = fused(fresh_simulated_store, pair_grid(AXES))
    assert_frame_equal(resumed.results, whole.results, check_exact=True)
    assert resumed.run.stored == whole.run.stored
    assert resumed.statistics.to_bytes() == whole.statistics.to_bytes()


@pytest.mark.parametrize("took_place", [True, False])
def test_an_interrupt_in_the_middle_of_a_write_stores_nothing_twice(
    fresh_simulated_store: Store, whole: SweepRun, monkeypatch: pytest.MonkeyPatch, took_place: bool
) -> None:
    small_blocks(monkeypatch)
    monkeypatch.setattr("engine.sweep.results._FIRST_PAUSE", 0.0)
    monkeypatch.setattr("engine.sweep.results._SHARE", 0.0)
    writes: list[str] = []

    def interrupted(store: Store, table: str, *arguments: object, **options: object) -> FileEntry:
        writes.append(table)
        if len(writes) < 3:
            return append(store, table, *arguments, **options)
        if took_place:
            append(store, table, *arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("engine.sweep.results.append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fused(fresh_simulated_store, pair_grid(AXES))
    assert len(writes) == 3
    resumed = fused(fresh_simulated_store, pair_grid(AXES))
    assert_frame_equal(resumed.results, whole.results, check_exact=True)
    assert resumed.run.stored == whole.run.stored
    assert resumed.statistics.to_bytes() == whole.statistics.to_bytes()


@pytest.mark.parametrize("keep", ["all", "top:30"])
def test_an_interrupt_while_trials_are_sorted_in_loses_none(
    fresh_simulated_store: Store, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    small_blocks(monkeypatch)
    monkeypatch.setattr("engine.sweep.results._FIRST_PAUSE", 0.0)
    monkeypatch.setattr("engine.sweep.results._SHARE", 0.0)
    expected = fused(fresh_simulated_store, pair_grid(AXES, costs={"commission_bps": 2.0}), keep)
    sorts = 0
    sort = np.lexsort

    def interrupted(keys: tuple[NDArray[np.generic], ...]) -> NDArray[np.intp]:
        nonlocal sorts
        sorts += 1
        if sorts == 9:
            raise KeyboardInterrupt
        return sort(keys)

    with monkeypatch.context() as patch:
        patch.setattr("engine.sweep.trials.np.lexsort", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fused(fresh_simulated_store, pair_grid(AXES, costs={"commission_bps": 2.0}), keep, anew=True)
    resumed = fused(fresh_simulated_store, pair_grid(AXES, costs={"commission_bps": 2.0}), keep)
    for name in ("distinct", "tried", "stored", "never_traded", "positive_count"):
        assert getattr(resumed.run, name) == getattr(expected.run, name)
    assert_frame_equal(resumed.results, expected.results, check_exact=True)


def test_random_sample_is_a_part_of_the_whole(fresh_simulated_store: Store, whole: SweepRun) -> None:
    grid = pair_grid(AXES, evaluate={"sample": 200, "seed": 4})
    swept = fused(fresh_simulated_store, grid)
    assert (swept.run.evaluated, swept.run.sample, swept.run.seed, swept.results.height) == (200, 200, 4, 200)
    part = whole.results.join(swept.results.select("combination"), on="combination", how="semi")
    assert_frame_equal(swept.results, part, check_exact=True)
    by_vectorbt = run_sweep(fresh_simulated_store, grid, backend="vectorbt").results
    assert_frame_equal(by_vectorbt, swept.results, rel_tol=1e-11, abs_tol=1e-12)
    assert any(
        "200 of 924 combinations were drawn at random, seed 4" in n
        for n in summarise(fresh_simulated_store, swept).notes
    )


def test_every_named_combination_was_checked_against_vectorbt(fresh_simulated_store: Store) -> None:
    swept = fused(fresh_simulated_store, pair_grid(AXES))
    assert 20 <= swept.run.verified <= 40
    assert 0.0 <= swept.run.largest_difference <= 1e-11
    checked = summarise(fresh_simulated_store, swept).verification
    assert checked.combinations > swept.run.verified
    assert checked.largest_difference <= 1e-11


def test_neighbours_with_the_same_positions_say_nothing(simulated_store: Store, whole: SweepRun) -> None:
    best = summarise(simulated_store, whole).best.row(0, named=True)
    names = [metric.name for metric in METRICS]
    results = whole.results
    near = results.filter(
        pl.col("combination").is_in(neighbours_of(whole.plan.grid.axes, best["combination"]).tolist())
    )
    own = results.filter(pl.col("combination") == best["combination"]).select(names).row(0)
    others = near.filter(pl.Series([row != own for row in near.select(names).rows()]))["sharpe"].drop_nulls()
    assert others.len() < near.height - 1  # the stop in half points changes no position here
    assert (best["neighbours"], best["neighbours_median"]) == (others.len(), others.median())
    medians, counts = neighbour_medians(whole.source.of, {}, np.array([0]), "sharpe")
    assert counts.tolist() == [0]
    assert np.isnan(medians).all()


@pytest.mark.parametrize("text", ["", "some", "top", "top:0", "top:-1", "sample:1.5", "top:2000000", "none:3"])
def test_what_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(KeepError, match=r"all, none, top:N or sample:N"):
        parse_keep(text)


def test_too_small_a_disk_is_said_before_the_sweep(simulated_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr("engine.sweep.evaluation.shutil.disk_usage", lambda _: usage)
    with pytest.raises(SweepError, match=r"924 combinations.*0.0 GB free.*room for 250; --keep top:1000"):
        fused(simulated_store, pair_grid({**AXES, "slope_lookback": [21]}))


def test_a_sample_that_ends_after_the_data_is_noted(simulated_store: Store) -> None:
    first_cut = summarise(
        simulated_store, fused(simulated_store, pair_grid(sample={"first": "2018-01-06", "last": "2030-01-02"}))
    )
    assert any("the sample was to end on 2030-01-02, and the data end on" in note for note in first_cut.notes)
    assert not any("was to begin" in note for note in first_cut.notes)  # a Saturday is no session that is missing


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_of_half_a_million_is_resumed(
    engine: Engine, fresh_simulated_store: Store, tmp_path: Path, how: signal.Signals
) -> None:
    grid = tmp_path / "half.toml"
    grid.write_text(GRID)
    arguments = ("--grid", grid, "--no-report", "--format", "json")
    stop_sweep(fresh_simulated_store, *arguments, how=how)
    kept = query(fresh_simulated_store, "SELECT count(*) AS n FROM sweep_results")["n"].item()
    done = engine("sweep", "--store", fresh_simulated_store.root, *arguments)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["tried"] == said["stored"] == said["combinations"] > kept > 0
    counted = (
        "SELECT count(*) AS n, count(DISTINCT combination) AS d, min(combination) AS low, max(combination) AS high"
    )
    n, distinct, low, high = query(fresh_simulated_store, f"{counted} FROM sweep_results").row(0)
    assert (n, distinct, low, high) == (said["combinations"], said["combinations"], 0, said["combinations"] - 1)
    assert query(fresh_simulated_store, "SELECT status FROM sweep_runs")["status"].to_list() == ["complete"]
    assert len([e for e in read_manifest(fresh_simulated_store).files if e.table == "sweep_results"]) < 40
