"""``engine sweep``: every combination of a grid."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.options import AsOf, Form, StorePath, fail, open_store_at, utc

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
    anew: Annotated[bool, typer.Option("--anew", help="Evaluate again what the ledger already holds.")] = False,
    output: Form = "table",
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page with tables and charts.")] = False,
) -> None:
    """Evaluate every combination of a grid, keep each in the ledger, show the best beside all the others."""
    from engine.report.page import write_report
    from engine.report.progress import sweep_progress
    from engine.report.quantities import parse_bytes
    from engine.report.summary_json import sweep_json
    from engine.report.terminal import render_sweep
    from engine.sweep import load_grid, run_sweep, summarise

    opened = open_store_at(store)
    described = load_grid(grid)
    if metric is not None:
        described = described.ranked_by(metric)
    try:
        with sweep_progress() as progress:
            finished = run_sweep(
                opened,
                described,
                backend=backend,
                as_of=utc(as_of),
                memory=parse_bytes(memory),
                jobs=jobs,
                anew=anew,
                progress=progress,
            )
    except KeyboardInterrupt:
        command = "the same command without --anew" if anew else "the same command"
        fail(f"interrupted; what is finished is in the ledger, and {command} goes on from there", 130)
    summary = summarise(opened, finished)
    report = None if no_report else write_report(opened, finished, summary).resolve()
    if report is not None:
        typer.echo(f"report: {report}", err=True)
    if output == "json":
        typer.echo(sweep_json(finished, summary, report=report))
    else:
        render_sweep(finished, summary)
