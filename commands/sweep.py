"""``engine sweep``: every combination of a grid."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from commands.options import AsOf, Form, StorePath, fail, open_store_at, utc

if TYPE_CHECKING:
    from engine.sweep import Grid, SweepRun
    from parquet_store import Store

__all__ = ["sweep"]


def sweep(
    grid: Annotated[
        Path, typer.Option("--grid", help="TOML file that describes the sweep, for example configs/pair.toml.")
    ],
    store: StorePath = None,
    as_of: AsOf = None,
    metric: Annotated[
        str | None, typer.Option(help="Rank by this metric instead of the grid's own.", show_default=False)
    ] = None,
    backend: Annotated[
        Literal["auto", "vectorbt", "fused"],
        typer.Option(help="What evaluates: vectorbt, or the fused loop held to it; auto goes by the grid's size."),
    ] = "auto",
    memory: Annotated[str, typer.Option(help="Memory for all processes together, for example 800MB or 2GB.")] = "2GB",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; chosen by what pays.", show_default=False)
    ] = None,
    keep: Annotated[
        str, typer.Option(help="What to store of the results: all, top:N, sample:N or none; all are counted.")
    ] = "all",
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local:N", help="Evaluate on a Dask cluster, or in N processes.", show_default=False
        ),
    ] = None,
    one_pass: Annotated[
        bool,
        typer.Option("--one-pass", help="Let the fused loop look at every close and remember nothing; same results."),
    ] = False,
    refine: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=1000,
            help="Sweep again around the best plateau, with so many steps in the place of one.",
            show_default=False,
        ),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Evaluate again what the ledger already holds.")] = False,
    output: Form = "table",
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page with tables and charts.")] = False,
) -> None:
    """Evaluate every combination of a grid, keep each in the ledger, show the best beside all the others."""
    from engine.report.progress import sweep_progress
    from engine.report.quantities import parse_bytes
    from engine.sweep import Grid, SweepRun, load_grid, parse_keep, run_sweep

    kept, budget = parse_keep(keep), parse_bytes(memory)
    opened = open_store_at(store)
    described = load_grid(grid)
    if metric is not None:
        described = described.ranked_by(metric)

    def run(described: Grid) -> SweepRun:
        try:
            with sweep_progress() as progress:
                return run_sweep(
                    opened,
                    described,
                    backend=backend,
                    as_of=utc(as_of),
                    memory=budget,
                    jobs=jobs,
                    keep=kept,
                    cluster=cluster,
                    one_pass=one_pass,
                    anew=anew,
                    progress=progress,
                )
        except KeyboardInterrupt:
            command = "the same command without --anew" if anew else "the same command"
            fail(f"interrupted; what is finished is in the ledger, and {command} goes on from there", 130)

    finished, coarse = run(described), None
    if refine is not None:
        coarse = finished
        finished = run(_refined(opened, coarse, refine))
    _show(opened, finished, output=output, no_report=no_report, coarse=coarse)


def _refined(store: "Store", coarse: "SweepRun", steps: int) -> "Grid":
    """Write the grid around the best plateau of a sweep, say where it is, and return it."""
    from engine.sweep.refinement import write_refined_grid

    grid, path, told = write_refined_grid(store, coarse, steps)
    typer.echo(f"{told}\nrefined grid: {path.resolve()}", err=True)
    return grid


def _show(
    store: "Store", finished: "SweepRun", *, output: str, no_report: bool, coarse: "SweepRun | None" = None
) -> None:
    """Print a finished sweep, write its page, and say on standard error where both are and what took how long."""
    from engine.report.page import write_report
    from engine.report.summary_json import sweep_json
    from engine.report.terminal import render_sweep
    from engine.sweep import summarise

    began = time.perf_counter()
    summary = summarise(store, finished)
    timings = {**finished.timings, "summary": time.perf_counter() - began}
    report = None
    if not no_report:
        began = time.perf_counter()
        report = write_report(store, finished, summary).resolve()
        timings["report"] = time.perf_counter() - began
        typer.echo(f"report: {report}", err=True)
    typer.echo("seconds: " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in timings.items()), err=True)
    if output == "json":
        refined_from = None if coarse is None else coarse.run.run_id
        typer.echo(sweep_json(finished, summary, report=report, timings=timings, refined_from=refined_from))
    else:
        render_sweep(finished, summary)
