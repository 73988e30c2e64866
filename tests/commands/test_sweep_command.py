import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pytest

from parquet_store import Store
from sql import query
from tests.conftest import Engine
from tests.sweep.stopped import stop_sweep

GRID = """
[strategy]
name = "pair"
[grid]
xlf_dma = { start = 150, stop = 250, step = 10 }
hyg_drawdown = { start = -0.02, stop = -0.05, step = -0.01 }
stop_loss = [-0.10, -0.15]
[sample]
first = 2018-01-02
last = 2026-03-06
[costs]
commission_bps = 1.0
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(GRID)
    return path


def test_json_is_all_there_is_on_standard_output(engine: Engine, fresh_simulated_store: Store, grid: Path) -> None:
    done = engine("sweep", "--grid", grid, "--store", fresh_simulated_store.root, "--format", "json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["combinations"] == 88
    assert summary["backend"] == "vectorbt"
    assert summary["seconds"] > 0
    stored = query(fresh_simulated_store, "SELECT * FROM sweep_results WHERE run_id = ?", params=[summary["run_id"]])
    assert stored.height == 88
    best = summary["best"][0]
    assert best["sharpe"] == stored["sharpe"].max()
    assert {"neighbours_median", "alike", "xlf_dma", "gross_total_return"} <= best.keys()
    assert [row["benchmark"] for row in summary["benchmarks"]] == ["SPY bought and held", "pair always on"]
    assert any("simulated" in note for note in summary["notes"])
    assert summary["scrutiny"]["deflated_sharpe"]["trials"] == summary["distinct"]


def test_table_names_the_data_and_says_simulated(engine: Engine, fresh_simulated_store: Store, grid: Path) -> None:
    done = engine("sweep", "--grid", grid, "--store", fresh_simulated_store.root)
    assert done.returncode == 0, done.stderr
    for words in ("SIMULATED", "88 combinations", "2018-01-02 to 2026-03-06", "never traded", "SPY bought and held"):
        assert words in done.stdout
    assert "\x1b" not in done.stdout


def test_unknown_metric_is_refused_before_the_sweep(engine: Engine, fresh_simulated_store: Store, grid: Path) -> None:
    done = engine("sweep", "--grid", grid, "--store", fresh_simulated_store.root, "--metric", "beauty")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "beauty" in done.stderr
    assert "sharpe" in done.stderr
    assert not fresh_simulated_store.folder("sweep_runs").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_goes_on_where_a_sweep_was_stopped(
    engine: Engine, fresh_simulated_store: Store, grid: Path, how: signal.Signals
) -> None:
    """Small blocks, by little memory, so that it can be stopped between two of them."""
    stopped = stop_sweep(fresh_simulated_store, "--grid", grid, "--memory", "424MB", how=how)
    if how == signal.SIGINT:
        assert stopped.returncode == 130, stopped.stderr
        assert "same command goes on" in stopped.stderr
        assert "Traceback" not in stopped.stderr
    kept = stored(fresh_simulated_store)
    assert 0 < kept.height < 88
    done = engine("sweep", "--grid", grid, "--store", fresh_simulated_store.root)
    assert done.returncode == 0, done.stderr
    assert query(fresh_simulated_store, "SELECT status FROM sweep_runs")["status"].to_list() == ["complete"]
    finished = stored(fresh_simulated_store)
    assert finished["combination"].to_list() == list(range(88))
    assert finished.join(kept, on="combination", how="semi").equals(kept)


def stored(store: Store) -> pl.DataFrame:
    return query(store, "SELECT * EXCLUDE (seen_at) FROM sweep_results ORDER BY combination")


def test_memory_stays_within_the_budget(fresh_simulated_store: Store, tmp_path: Path) -> None:
    big = tmp_path / "big.toml"
    big.write_text(GRID.replace("step = 10", "step = 1"))
    budget = 700_000_000
    command = [Path(sys.executable).with_name("engine"), "sweep", "--grid", big, "--store", fresh_simulated_store.root]
    process = subprocess.Popen([*command, "--memory", "700MB"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.02)
    assert process.returncode == 0
    assert 0 < peak < 1.2 * budget


def resident(pid: int) -> int:
    """Resident bytes of a process and its children."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def test_full_disk_leaves_the_ledger_readable(engine: Engine, grid: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not Path("/bin/mount").exists():
        pytest.skip("needs the right to mount a small file system")
    folder = tmp_path / "small_disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=5600k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no small file system can be mounted here")
    try:
        store = folder / "store"
        assert engine("data", "demo", "--store", store).returncode == 0
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        (folder / "filler").write_bytes(bytes(max(0, free - 8192)))
        done = engine("sweep", "--grid", grid, "--store", store)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "space" in done.stderr
        (folder / "filler").unlink()
        assert engine("sweep", "--grid", grid, "--store", store).returncode == 0
    finally:
        subprocess.run(["/bin/umount", folder], check=True)
