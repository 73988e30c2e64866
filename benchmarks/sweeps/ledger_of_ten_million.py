"""How long questions about ten million stored results take: ``python -m benchmarks.sweeps.ledger_of_ten_million``.

The results are those of the full-resolution pair grid on the simulated market, swept once for each of eight exit rules: a
ledger of 10,069,296 results, written by the sweep itself.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from engine.sweep import Grid, load_grid, run_sweep
from parquet_store import open_store, read_manifest
from parquet_store.simulation import write_simulated
from sql import query

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
RECLAIMS = (2, 3, 4, 5, 6, 7, 8, 9)
REPEATS = 3


def ten_million() -> Grid:
    """Return the grid: the pair's full resolution, and eight lengths of the exit."""
    grid = load_grid(CONFIGS / "pair_million.toml")
    return replace(grid, name="pair_ten_million", axes={**grid.axes, "reclaim_sessions": RECLAIMS})


def questions(run_id: str) -> dict[str, str]:
    """Return what a researcher asks first."""
    where = f"FROM sweep_results WHERE run_id = '{run_id}'"
    return {
        "aggregate by a parameter": f"SELECT xlf_dma, count(*), avg(sharpe), max(sharpe) {where} GROUP BY 1 ORDER BY 1",
        "aggregate by two": f"SELECT hyg_drawdown, stop_loss, avg(sharpe) {where} GROUP BY ALL ORDER BY ALL",
        "ten best": f"SELECT xlf_dma, hyg_drawdown, stop_loss, sharpe {where} ORDER BY sharpe DESC NULLS LAST LIMIT 10",
        "one value of the first parameter": f"SELECT avg(total_return), min(max_drawdown) {where} AND xlf_dma = 200",
        "one value of the last parameter": f"SELECT avg(total_return), min(max_drawdown) {where} AND reclaim_sessions = 5",
        "one combination": f"SELECT * {where} AND combination = 5000000",
        "how many earn something": f"SELECT count(*) FILTER (total_return > 0) / count(*) {where}",
        "median by a parameter": f"SELECT xlf_dma, median(sharpe) {where} GROUP BY 1 ORDER BY 1",
    }


def main() -> None:
    """Make the ledger where it is absent, and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="folder of the store; made and filled if absent")
    store = open_store(parser.parse_args().store, create=True)
    write_simulated(store)
    swept = run_sweep(store, ten_million(), backend="fused")
    entries = [entry for entry in read_manifest(store).files if entry.run_id == swept.run.run_id]
    size = sum(entry.bytes for entry in entries)
    out = [f"{swept.run.stored:,} results in {len(entries)} files, {size / 1e6:,.1f} MB"]
    for name, text in questions(swept.run.run_id).items():
        seconds = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            query(store, text)
            seconds.append(time.perf_counter() - began)
        out.append(f"{min(seconds):8.3f} s  {name}")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
