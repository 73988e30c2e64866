"""A sweep on Dask, with real processes that are really killed."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from polars.testing import assert_frame_equal

from engine.sweep import SweepRun, parse_keep, run_sweep
from engine.sweep.cluster import ClusterError
from engine.sweep.evaluation import SweepError
from parquet_store import Store
from sql import query
from tests.conftest import Engine
from tests.sweep.test_run import pair_grid
from tests.sweep.test_streaming import AXES

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of processes that are killed


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sweep here is held to vectorbt, but on a few combinations."""
    monkeypatch.setattr("engine.sweep.verification.CHECKED_BEST", 10)
    monkeypatch.setattr("engine.sweep.run.CHECKED_AT_RANDOM", 20)


@pytest.fixture(scope="module")
def here(simulated_store: Store) -> SweepRun:
    return run_sweep(simulated_store, pair_grid(AXES), backend="fused")


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sweep.cluster.BLOCK", 40)
    monkeypatch.setattr("engine.sweep.cluster.TASK_SECONDS", 0.0)


@pytest.mark.parametrize("keep", ["all", "top:20"])
def test_results_are_the_same_to_the_last_bit(fresh_simulated_store: Store, here: SweepRun, keep: str) -> None:
    there = run_sweep(fresh_simulated_store, pair_grid(AXES), cluster="local:1", keep=parse_keep(keep))
    assert there.run.distinct == here.run.distinct
    assert there.statistics.distinct.settle().alike.tolist() == here.statistics.distinct.settle().alike.tolist()
    if keep == "all":
        assert_frame_equal(there.results, here.results, check_exact=True)
        assert there.statistics.to_bytes() == here.statistics.to_bytes()


def test_a_worker_killed_half_way_loses_nothing(fresh_simulated_store: Store, here: SweepRun) -> None:
    killed: list[int] = []

    def kill_one(finished: int, total: int) -> None:
        if not killed and finished > total // 2:
            workers = [
                process
                for process in psutil.Process().children(recursive=True)
                if "spawn_main" in " ".join(process.cmdline()) and not process.children()
            ]
            victim = max(workers, key=lambda process: process.memory_info().rss)
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

    there = run_sweep(fresh_simulated_store, pair_grid(AXES), cluster="local:2", progress=kill_one)
    assert killed
    assert_frame_equal(there.results, here.results, check_exact=True)
    assert there.statistics.to_bytes() == here.statistics.to_bytes()


def test_an_interrupted_client_leaves_a_ledger_that_goes_on_here(fresh_simulated_store: Store, here: SweepRun) -> None:
    def stop(finished: int, total: int) -> None:
        if finished > total // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(fresh_simulated_store, pair_grid(AXES), cluster="local:1", progress=stop)
    first: list[int] = []
    resumed = run_sweep(
        fresh_simulated_store, pair_grid(AXES), backend="fused", progress=lambda done, _: first.append(done)
    )
    assert first[0] > here.run.tried // 3
    assert_frame_equal(resumed.results, here.results, check_exact=True)


def test_a_dead_address_is_said_within_seconds(engine: Engine, simulated_store: Store, tmp_path: Path) -> None:
    grid = tmp_path / "unreachable.toml"
    grid.write_text('[strategy]\nname = "pair"\n[grid]\nxlf_dma = [152, 202]\n')
    began = time.monotonic()
    done = engine("sweep", "--grid", grid, "--store", simulated_store.root, "--cluster", "tcp://127.0.0.1:9")
    assert time.monotonic() - began < 60.0
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert query(simulated_store, "SELECT * FROM sweep_runs WHERE grid_name = 'unreachable'").is_empty()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("address", ["local:0", "local:many", "local:"])
def test_an_address_without_sense_is_refused(simulated_store: Store, address: str) -> None:
    with pytest.raises(ClusterError, match=r"is not a cluster: write local:2"):
        run_sweep(simulated_store, pair_grid({"xlf_dma": [153]}), cluster=address)


def test_without_dask_it_is_said_how_to_get_it(simulated_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"not installed: pip install '\.\[cluster\]'"):
        run_sweep(simulated_store, pair_grid({"xlf_dma": [154]}), cluster="local:1")


def test_vectorbt_is_not_asked_of_a_cluster(simulated_store: Store) -> None:
    with pytest.raises(SweepError, match=r"leave out --backend vectorbt"):
        run_sweep(simulated_store, pair_grid(), cluster="local:1", backend="vectorbt")
