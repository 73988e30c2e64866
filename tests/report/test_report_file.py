import errno
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.report.page import report_html, write_report
from engine.sweep import Summary, run_sweep, summarise
from engine.sweep.run import SweepRun
from parquet_store import Store, StoreError
from tests.report.sweeps import pair_grid

GRID = """
[strategy]
name = "pair"
[grid]
xlf_dma = [150, 200]
hyg_drawdown = [-0.02, -0.03]
[sample]
first = 2018-01-02
last = 2026-03-06
"""


@pytest.fixture(scope="module")
def swept(simulated_store: Store) -> tuple[Store, SweepRun, Summary]:
    run = run_sweep(simulated_store, pair_grid({"xlf_dma": [150, 200]}, name="file"), anew=True)
    return simulated_store, run, summarise(simulated_store, run)


def test_report_is_replaced_in_one_step(
    swept: tuple[Store, SweepRun, Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run, summary = swept
    path = write_report(store, run, summary)
    assert path == store.root / "reports" / f"{run.run.run_id}.html"
    assert path.read_text(encoding="utf-8") == report_html(run, summary)
    assert write_report(store, run, summary) == path
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    before = path.read_bytes()

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="could not be written: the disk is full"):
        write_report(store, run, summary)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_same_sweep_gives_the_same_page(swept: tuple[Store, SweepRun, Summary]) -> None:
    store, run, _ = swept
    again = run_sweep(store, pair_grid({"xlf_dma": [150, 200]}, name="file"))
    assert again.reused
    page = report_html(again, summarise(store, again))
    assert page.replace(", read from the ledger", "") == report_html(run, summarise(store, run))


def test_rendering_needs_neither_vectorbt_nor_pandas_nor_a_chart_library(
    swept: tuple[Store, SweepRun, Summary], tmp_path: Path
) -> None:
    store, run, summary = swept
    saved = tmp_path / "sweep.pickle"
    saved.write_bytes(pickle.dumps((run.run, run.statistics, summary)))
    script = f"""
import pickle, sys
from pathlib import Path
from engine.report.page import report_html
from engine.sweep import make_plan
from engine.sweep.results import Results
from engine.sweep.run import SweepRun
from parquet_store import open_store
from tests.report.sweeps import pair_grid

run, statistics, summary = pickle.loads(Path({str(saved)!r}).read_bytes())
store = open_store({str(store.root)!r})
plan = make_plan(store, pair_grid({{"xlf_dma": [150, 200]}}))
source = Results(store, run.run_id, plan, "vectorbt", 10**9, complete=True)
assert report_html(SweepRun(run, plan, source, statistics, reused=False), summary).startswith("<!doctype html>")
print(sorted({{"vectorbt", "pandas", "plotly", "arch"}} & set(sys.modules)))
"""
    finished = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert finished.stdout.strip() == "[]", finished.stderr


def test_the_command_writes_the_page_and_names_it(
    simulated_store: Store, tmp_path: Path, engine: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    grid = tmp_path / "small.toml"
    grid.write_text(GRID, encoding="utf-8")
    finished = engine("sweep", "--grid", grid, "--store", simulated_store.root, "--format", "json")
    assert finished.returncode == 0, finished.stderr
    said = json.loads(finished.stdout)
    path = Path(said["report"])
    assert path == (simulated_store.root / "reports" / f"{said['run_id']}.html").resolve()
    assert f"report: {path}" in finished.stderr.splitlines()
    assert said["run_id"] in path.read_text(encoding="utf-8")
    path.unlink()
    without = engine("sweep", "--grid", grid, "--store", simulated_store.root, "--format", "json", "--no-report")
    assert without.returncode == 0, without.stderr
    assert json.loads(without.stdout)["report"] is None
    assert "report:" not in without.stderr
    assert not path.exists()
