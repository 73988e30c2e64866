"""``engine study`` and ``engine replicate``: the documents' tables, as published and as they could have been traded."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.options import AsOf, Assignments, FrameForm, StorePath, open_store_at, say_simulated, utc

__all__ = ["falsify", "replicate", "study"]

Periods = Annotated[
    Path | None, typer.Option("--periods", help="File of episodes; else configs/periods.toml.", show_default=False)
]


def study(
    name: Annotated[str | None, typer.Argument(help="Name of the study, as in --list.", show_default=False)] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the studies and what may be set.")] = False,
    assignments: Assignments = None,
    first: Annotated[
        datetime | None,
        typer.Option(help="First day of the sample; else the document's.", formats=["%Y-%m-%d"], show_default=False),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option(help="Last day of the sample; else the document's.", formats=["%Y-%m-%d"], show_default=False),
    ] = None,
    warmup: Annotated[
        Literal["inside", "before"], typer.Option(help="Whether indicators see data from before the sample.")
    ] = "inside",
    table: Annotated[str | None, typer.Option(help="Only this table, by its id.", show_default=False)] = None,
    periods: Periods = None,
    store: StorePath = None,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """Run one study of the documents on any sample, history and symbols."""
    from engine.parameters import parse_assignments
    from engine.report.studies import render_studies, render_study, studies_json, study_csv, study_json
    from engine.studies import find_study, study_names
    from engine.studies.running import run_study

    if show_list == (name is not None):
        message = "give either the name of a study or --list"
        raise typer.BadParameter(message)
    if name is None:
        studies = [find_study(each) for each in study_names()]
        if output == "table":
            render_studies(studies)
        else:
            typer.echo(studies_json(studies))
        return
    run = run_study(
        open_store_at(store),
        find_study(name),
        parse_assignments(assignments or ()),
        first=first.date() if first else None,
        last=last.date() if last else None,
        warmup=warmup,
        periods=periods,
        as_of=utc(as_of),
    )
    say_simulated(simulated=run.history.panel.simulated)
    if output == "table":
        render_study(run, table)
    elif output == "json":
        typer.echo(study_json(run, table))
    else:
        sys.stdout.write(study_csv(run, table))


def replicate(
    store: StorePath = None,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """Show every figure of the documents: published, reproduced by their own convention, and tradable."""
    from engine.report.figures import figures_frame, figures_json
    from engine.report.frames import frame_text
    from engine.report.replication import render_replication
    from engine.studies.replication import replicate as replicate_all

    replication = replicate_all(open_store_at(store), as_of=utc(as_of))
    say_simulated(simulated=replication.history.panel.simulated)
    if output == "table":
        render_replication(replication)
    elif output == "json":
        typer.echo(figures_json(replication.figures))
    else:
        sys.stdout.write(frame_text(figures_frame(replication.figures), "csv"))


def falsify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Rules or strategies; all where none is named.", show_default=False)
    ] = None,
    commission_bps: Annotated[float, typer.Option(min=0.0, max=1000.0, help="Basis points of traded notional.")] = 1.0,
    slippage_bps: Annotated[float, typer.Option(min=0.0, max=1000.0, help="Likewise, added to it.")] = 1.0,
    years: Annotated[int, typer.Option(min=1, max=50, help="Length of the rolling window, of 252 sessions each.")] = 5,
    store: StorePath = None,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """Say of every rule and strategy whether its claim stands, is broken since a day, or has not enough data."""
    from engine.falsify import falsify_claims
    from engine.report.falsification import render_tests, tests_frame
    from engine.report.frames import frame_text
    from engine.sweep import Costs

    costs = Costs(commission_bps=commission_bps, slippage_bps=slippage_bps)
    tests = falsify_claims(open_store_at(store), names or (), costs=costs, years=years, as_of=utc(as_of))
    say_simulated(simulated=tests.panel.simulated)
    if output == "table":
        render_tests(tests)
        return
    sys.stdout.write(frame_text(tests_frame(tests), output))
    for note in tests.notes:
        typer.echo(f"Note: {note}.", err=True)
