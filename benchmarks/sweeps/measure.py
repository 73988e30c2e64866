"""One sweep in a process of its own, timed: ``python -m benchmarks.sweeps.measure engine|script STORE CLOSES OUT COUNT…``.

CLOSES is a Parquet file of the aligned closes, which the script reads; the engine reads the store and writes each trial
to its ledger. COUNT is the number of values kept on each axis of the pair's grid. The results go to OUT, seconds and
peak memory to standard output, as JSON. A sweep of a few combinations goes before, so that imports and compilation are
not counted.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from engine.sweep import Grid, load_grid, run_sweep
from parquet_store import open_store

PAIR = Path(__file__).parents[2] / "configs" / "pair.toml"

FEW = (1, 2, 2, 1)


def thinned(counts: tuple[int, ...]) -> Grid:
    """The pair's grid with so many values on each axis, evenly spread from end to end."""
    grid = load_grid(PAIR)
    axes = {
        name: tuple(values[round(k)] for k in np.linspace(0, len(values) - 1, count))
        for (name, values), count in zip(grid.axes.items(), counts, strict=True)
    }
    return replace(grid, name=f"pair_{grid.size}", axes=axes)


def run_engine(store: Path, _: Path, grid: Grid) -> pl.DataFrame:
    """Sweep as the command does, in one process, by vectorbt."""
    return run_sweep(open_store(store), grid, backend="vectorbt", jobs=1, anew=True).results


def run_script(_: Path, closes: Path, grid: Grid) -> pl.DataFrame:
    """Sweep as it is usually written."""
    from benchmarks.sweeps.usual_script import sweep  # noqa: PLC0415 - its imports belong to one contestant only

    assets = grid.fixed.market_cap.model_dump(exclude={"date"})
    results = sweep(pd.read_parquet(closes), grid.axes, assets, grid.costs.rate)
    return pl.DataFrame({name: results[name].to_numpy() for name in results})


def peak_memory() -> int:
    """Bytes that this process has held at most. What Linux reports as a resource may be the parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def main() -> None:
    """Warm up, sweep, and write what was found and what it took."""
    contestant, store, closes, out, *counts = sys.argv[1:]
    run = {"engine": run_engine, "script": run_script}[contestant]
    run(Path(store), Path(closes), thinned(FEW))
    grid = thinned(tuple(map(int, counts)))
    begin = time.perf_counter()
    results = run(Path(store), Path(closes), grid)
    seconds = time.perf_counter() - begin
    results.write_parquet(out)
    json.dump({"combinations": grid.size, "seconds": seconds, "peak_bytes": peak_memory()}, sys.stdout)


if __name__ == "__main__":
    main()
