"""One sweep of the pair in a process of its own: what it found, how long it took, how much memory it held.

Run as ``python -m benchmarks.sweeps.measure CONTESTANT CLOSES OUT MEMORY COUNT…``. CONTESTANT is ``script`` or a
backend of the engine, CLOSES a Parquet file of aligned closes, OUT where the results go, MEMORY the engine's budget in
bytes, COUNT the number of values kept on each axis of the shipped grid. A sweep of a few combinations goes before, so
that neither imports nor compilation are timed. Time is the processor's: both use one thread, and other programs on the
machine then hardly disturb the comparison.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import polars as pl

from engine.panel import Panel
from engine.sweep import Grid, load_grid, plan_from_panel
from engine.sweep.combinations import select
from engine.sweep.evaluation import Backend, describe, evaluate

PAIR = Path(__file__).parents[2] / "configs" / "pair.toml"

FEW = (1, 2, 2, 1)


def thinned(counts: tuple[int, ...]) -> Grid:
    """Return the shipped grid with so many values on each axis, evenly spread from end to end."""
    grid = load_grid(PAIR)
    axes = {
        name: tuple(values[round(k)] for k in np.linspace(0, len(values) - 1, count))
        for (name, values), count in zip(grid.axes.items(), counts, strict=True)
    }
    return replace(grid, axes=axes)


def run_engine(closes: Path, grid: Grid, backend: Backend, memory: int) -> pl.DataFrame:
    """Sweep with the engine in one process and one thread."""
    frame = pl.read_parquet(closes)
    columns = {name: frame[name].to_numpy() for name in grid.strategy.series}
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    panel = Panel(dates, MappingProxyType(columns), start=0, as_of=None, seen_at=None, simulated=True)
    plan = plan_from_panel(panel, grid)
    blocks = evaluate(select(plan, memory=memory), backend, memory=memory, jobs=1)
    return pl.concat([describe(plan, block, metrics) for block, metrics in blocks])


def run_script(closes: Path, grid: Grid) -> pl.DataFrame:
    """Sweep with the usual script, which gets the same values and takes care of the rest itself."""
    import pandas as pd  # noqa: PLC0415 - imports of one contestant must not weigh on the other

    from benchmarks.sweeps.usual_script import sweep  # noqa: PLC0415

    assets = grid.fixed.model_dump()["market_cap"]
    results = sweep(pd.read_parquet(closes).set_index("date"), grid.axes, assets, grid.costs.rate)
    return pl.DataFrame({name: results[name].to_numpy() for name in results})


def run(contestant: str, closes: Path, grid: Grid, memory: int) -> pl.DataFrame:
    """Sweep with one of them."""
    if contestant == "script":
        return run_script(closes, grid)
    return run_engine(closes, grid, cast("Backend", contestant), memory)


def peak_bytes() -> int:
    """Return what this process has held at most. Linux's resource usage would count the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    peak_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_size if sys.platform == "darwin" else peak_size * 1024


def main() -> None:
    """Warm up, sweep, write the results, and report on standard output as JSON."""
    contestant, closes, out, memory, *counts = sys.argv[1:]
    run(contestant, Path(closes), thinned(FEW), int(memory))
    grid = thinned(tuple(map(int, counts)))
    begin = time.process_time()
    results = run(contestant, Path(closes), grid, int(memory))
    seconds = time.process_time() - begin
    results.write_parquet(out)
    json.dump({"seconds": seconds, "peak_bytes": peak_bytes()}, sys.stdout)


if __name__ == "__main__":
    main()
