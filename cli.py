"""The command ``engine``: parses, calls one function, prints.

Nothing heavy is imported at start-up: each command imports what it needs when it runs.
"""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from parquet_store import Store

app = typer.Typer(
    name="engine",
    help="Research engine for credit-stress strategies: data in Parquet, questions in SQL, large parameter sweeps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Fill, inspect and export the store.", no_args_is_help=True)
app.add_typer(data_app, name="data")
strategy_app = typer.Typer(help="List the strategies and show what each is made of.", no_args_is_help=True)
app.add_typer(strategy_app, name="strategy")

StorePath = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of the store; else $ENGINE_STORE, else ./store.", show_default=False),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        help="Use only what was stored by this moment (UTC).",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        show_default=False,
    ),
]

StrategyName = Annotated[str, typer.Argument(help="Name of the strategy, as in `engine strategy list`.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="parameter=value", help="A parameter's value; may be repeated.", show_default=False),
]


@data_app.command("demo")
def data_demo(
    store: StorePath = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the market; the shipped one by default.", show_default=False)
    ] = None,
) -> None:
    """Fill a store with the simulated market: every series the strategies use, from 2005 on."""
    from parquet_store.simulation import write_simulated

    opened = _open(store, create=True)
    written = write_simulated(opened, seed)
    rows = sum(entry.rows for entry in written)
    typer.echo(f"{rows:,} rows of the SIMULATED market written" if rows else "the SIMULATED market is already there")


@data_app.command("import")
def data_import(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files, or folders of them.", show_default=False)],
    store: StorePath = None,
    name: Annotated[
        str | None, typer.Option("--as", help="Name of the one series in the files.", show_default=False)
    ] = None,
    kind: Annotated[
        Literal["prices", "macro", "actions", "bars"] | None,
        typer.Option(
            help="What the files hold, where their shape does not tell; bars are intraday.", show_default=False
        ),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of the values: percent, basis_points, index, …", show_default=False)
    ] = None,
    basis: Annotated[
        Literal["split_adjusted", "dividend_adjusted", "index"] | None,
        typer.Option(help="What the closes have been adjusted for.", show_default=False),
    ] = None,
    known: Annotated[
        Literal["session_close", "next_session_morning", "month_end", "first_friday_next_month", "next_midnight_utc"]
        | None,
        typer.Option(
            help="When a value becomes known, for series that the universe does not name.", show_default=False
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Where the files come from.", show_default=False)] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of bars whose moments bear none, such as UTC.", show_default=False)
    ] = None,
) -> None:
    """Import CSV and Parquet files: long, wide, or as FRED, Yahoo and Cboe offer them for download; or bars."""
    from engine.report.frames import print_frame
    from parquet_store import import_files

    opened = _open(store, create=True)
    if kind == "bars":
        _import_bars(opened, files, source, time_zone)
        return
    report = import_files(opened, files, name=name, kind=kind, unit=unit, basis=basis, known=known, source=source)
    print_frame(report.files)
    print_frame(report.series)
    for note in report.notes:
        typer.echo(f"Note: {note}.")


@data_app.command("fetch")
def data_fetch(
    store: StorePath = None,
    series: Annotated[
        list[str] | None, typer.Option(help="Only this series; may be repeated.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Ask from this day on; else some weeks back.", show_default=False),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask for the whole history again.")] = False,
    vintages: Annotated[
        bool, typer.Option("--vintages", help="Ask FRED what it showed in the past; needs a key of its API.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a provider to answer.")] = 15.0,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Fetch every series of the universe from its provider, and write what is new.

    Ends with exit code 0 if nothing failed, 3 if some series failed and others came in, 2 if none came in.
    """
    from engine.report.fetch_progress import fetch_progress
    from engine.report.frames import print_frame
    from parquet_store.fetching import Pace, fetch, fetch_vintages, plan, plan_table

    opened = _open(store, create=not dry_run)
    if vintages:
        shown = fetch_vintages(opened, series=series, pace=Pace(timeout=timeout))
        print_frame(shown, output)
        _end_fetch(shown["state"].to_list())
    plans = plan(opened, series=series, since=since.date() if since else None, refresh=refresh)
    if dry_run:
        print_frame(plan_table(plans), output)
        return
    try:
        with fetch_progress([each.spec.name for each in plans]) as progress:
            report = fetch(
                opened,
                series=series,
                since=since.date() if since else None,
                refresh=refresh,
                pace=Pace(timeout=timeout),
                progress=progress,
            )
    except KeyboardInterrupt:
        _fail("interrupted; the store is as it was, and the same command begins again", 130)
    print_frame(report.series, output)
    for note in report.notes:
        typer.echo(f"Note: {note}.", err=output != "table")
    if report.not_fetched and series is None:
        typer.echo(f"No free source: {', '.join(report.not_fetched)}; see docs/fetching.md.", err=output != "table")
    _end_fetch(report.series["state"].to_list())


def _end_fetch(states: list[str]) -> NoReturn:
    """End with the exit code of a fetch."""
    failed = states.count("failed")
    raise typer.Exit(0 if not failed else 3 if failed < len(states) else 2)


@data_app.command("revisions")
def data_revisions(
    series: Annotated[str, typer.Argument(help="Which series.", show_default=False)],
    store: StorePath = None,
    as_of: AsOf = None,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """List what has changed in a series after it was first stored, and by how much."""
    from engine.report.frames import print_frame
    from parquet_store.history import list_revisions

    print_frame(list_revisions(_open(store), series, as_of=_utc(as_of)), output)


@data_app.command("rebuild")
def data_rebuild(
    store: StorePath = None,
    series: Annotated[
        list[str] | None, typer.Option(help="Only this series; may be repeated.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Read the kept answers of all fetches again with today's parsers, and write what they read otherwise."""
    from engine.report.frames import print_frame
    from parquet_store.fetching import rebuild

    report = rebuild(_open(store), series=series, dry_run=dry_run)
    print_frame(report.rows, output)
    for note in report.notes:
        typer.echo(f"Note: {note}.", err=True)
    what = "would change" if dry_run else "changed"
    typer.echo(
        f"{report.answers:,} answers of {report.fetches:,} fetches read; {report.rows.height:,} rows {what}", err=True
    )


@data_app.command("status")
def data_status(
    store: StorePath = None,
    as_of: AsOf = None,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Show each series of the store: range, rows, gaps, staleness, source, size."""
    from engine.report.frames import print_frame
    from parquet_store import status

    print_frame(status(_open(store), as_of=_utc(as_of)), output)


@data_app.command("export")
def data_export(
    table: Annotated[
        Literal["prices", "actions", "macro", "sweep_runs", "sweep_results"], typer.Argument(help="Which table.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write; its ending gives the format.")],
    series: Annotated[
        list[str] | None, typer.Option(help="Only this series; may be repeated.", show_default=False)
    ] = None,
    first: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], show_default=False)] = None,
    last: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], show_default=False)] = None,
    store: StorePath = None,
    as_of: AsOf = None,
) -> None:
    """Write the rows of a table to a CSV, Parquet or JSON file."""
    from parquet_store import export

    rows = export(
        _open(store),
        table,
        out,
        series=series,
        first=first.date() if first else None,
        last=last.date() if last else None,
        as_of=_utc(as_of),
    )
    typer.echo(f"{rows:,} rows written to {out}")


@data_app.command("check")
def data_check(
    store: StorePath = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged files again, put faulty rows into quarantine.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Take damaged files out of the store; they are kept in its folder damaged.")
    ] = False,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Check every byte and every row of the store; exit code 1 if a file is damaged or a row faulty."""
    from engine.report.frames import print_frame
    from parquet_store.checks import check_store, drop_files, repair_store

    opened = _open(store)
    report = check_store(opened)
    if report.findings.height or output != "table":
        print_frame(report.findings, output)
    if repair:
        repaired = repair_store(opened, report)
        for entry in repaired.restored:
            typer.echo(f"restored: {entry.path}", err=True)
        for entry, remedy in repaired.lost:
            typer.echo(f"not restored: {entry.path}: {remedy}", err=True)
        typer.echo(f"{repaired.quarantined:,} rows put into quarantine", err=True)
    if drop:
        for entry in drop_files(opened, report.damaged):
            typer.echo(f"taken out: {entry.path}", err=True)
    left = check_store(opened) if repair or drop else report
    state = "sound" if left.sound else "NOT SOUND"
    typer.echo(f"{left.files:,} files, {left.rows:,} rows, {left.bytes:,} bytes: {state}", err=True)
    if not left.sound:
        sys.exit(1)


@data_app.command("release")
def data_release(
    table: Annotated[Literal["prices", "actions", "macro", "bars"], typer.Argument(help="Which table.")],
    series: Annotated[str, typer.Argument(help="Whose rows.", show_default=False)],
    date: Annotated[
        datetime | None, typer.Option(help="Only of this day.", formats=["%Y-%m-%d"], show_default=False)
    ] = None,
    store: StorePath = None,
) -> None:
    """Confirm rows that are in quarantine: reads return them from now on. See `engine sql "FROM quarantine"`."""
    from parquet_store.quarantine import release

    released = release(_open(store), table, series, day=date.date() if date else None)
    typer.echo(f"{released.rows.height:,} rows released")
    if released.waiting:
        typer.echo(f"{released.waiting:,} of them come in with the next fetch or import")


@data_app.command("compact")
def data_compact(
    store: StorePath = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Also remove files that were replaced more than --grace hours ago.")
    ] = False,
    grace: Annotated[float, typer.Option(min=0.0, help="Hours for which replaced files stay for readers.")] = 24.0,
) -> None:
    """Merge small files into larger ones; what any read returns, as of any moment, stays the same."""
    from datetime import timedelta

    from parquet_store.compaction import compact, remove_unlisted

    opened = _open(store)
    done = compact(opened)
    typer.echo(f"{len(done.replaced):,} files merged into {len(done.written):,}")
    if remove:
        typer.echo(f"{len(remove_unlisted(opened, grace=timedelta(hours=grace))):,} files removed")


@app.command()
def sql(
    text: Annotated[str | None, typer.Argument(help="One statement that reads, in quotes.", show_default=False)] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="File with the statement.", show_default=False)
    ] = None,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        typer.Option("--format", help="By the ending of --out if not given; else a table.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write instead of printing.", show_default=False)
    ] = None,
    allow_external: Annotated[
        bool, typer.Option("--allow-external", help="Let the text read and write other files and use the network.")
    ] = False,
) -> None:
    """Ask the store a question in SQL. Views: prices, adjusted, macro, panel, sweep_runs, sweep_results and more."""
    from sql.runner import run

    if (text is None) == (file is None):
        message = "give either a statement or -f FILE"
        raise typer.BadParameter(message)
    rows = run(
        _open(store),
        text if text is not None else file,  # type: ignore[arg-type]  # one of them is given
        out or sys.stdout.buffer,
        form=output,
        as_of=_utc(as_of),
        allow_external=allow_external,
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
    )
    if out:
        typer.echo(f"{rows:,} rows written to {out}", err=True)


@strategy_app.command("list")
def strategy_list(
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """List the strategies: inputs, legs, parameters and the size of the grid that is shipped."""
    from engine.describe import describe_all
    from engine.report.strategies import render_strategies, strategies_json

    if output == "json":
        typer.echo(strategies_json(describe_all()))
    else:
        render_strategies(describe_all())


@strategy_app.command("show")
def strategy_show(
    name: StrategyName,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Show a strategy: inputs, parameters, ranges, sources, conditions, weights, both readings of every ambiguity."""
    from engine.describe import describe
    from engine.report.strategies import render_strategy, strategy_json

    if output == "json":
        typer.echo(strategy_json(describe(name)))
    else:
        render_strategy(describe(name))


@app.command()
def explain(
    name: StrategyName,
    date: Annotated[datetime, typer.Option("--date", help="A session.", formats=["%Y-%m-%d"], show_default=False)],
    assignments: Assignments = None,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Explain a day: each condition with its value, threshold and verdict, the rule's state, the next trade."""
    from engine.explain import explain as explain_day
    from engine.report.explanation import explanation_json, render_explanation
    from engine.strategies import parse_assignments

    values = parse_assignments(assignments or ())
    explanation = explain_day(_open(store), name, date.date(), values, as_of=_utc(as_of))
    if output == "json":
        typer.echo(explanation_json(explanation))
    else:
        render_explanation(explanation)


@app.command()
def audit(
    name: StrategyName,
    grid: Annotated[
        Path | None,
        typer.Option("--grid", help="Take combinations from this grid; else from the shipped one.", show_default=False),
    ] = None,
    assignments: Assignments = None,
    cuts: Annotated[int, typer.Option(min=1, help="Sessions after which each combination's history is cut.")] = 60,
    seed: Annotated[int, typer.Option(help="Of combinations, cuts, noise and holes.")] = 0,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Look for look-ahead: compute everything again without the future; exit code 1 if anything changes."""
    from engine.audit import audit as audit_strategy
    from engine.audit import audited_combinations
    from engine.report.audit import audit_json, render_audit
    from engine.strategies import parse_assignments
    from engine.sweep import load_grid

    values = parse_assignments(assignments or ())
    chosen = audited_combinations(name, grid=load_grid(grid) if grid else None, values=values, seed=seed)
    audited = audit_strategy(_open(store), chosen, cuts=cuts, seed=seed, as_of=_utc(as_of))
    if output == "json":
        typer.echo(audit_json(audited))
    else:
        render_audit(audited)
    if audited.leaks:
        raise typer.Exit(1)


@app.command()
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
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print the result.")] = "table",
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page with tables and charts.")] = False,
) -> None:
    """Evaluate every combination of a grid, keep each in the ledger, show the best beside all the others."""
    from engine.report.page import write_report
    from engine.report.progress import sweep_progress
    from engine.report.quantities import parse_bytes
    from engine.report.summary_json import sweep_json
    from engine.report.terminal import render_sweep
    from engine.sweep import load_grid, run_sweep, summarise

    opened = _open(store)
    described = load_grid(grid)
    if metric is not None:
        described = described.ranked_by(metric)
    try:
        with sweep_progress() as progress:
            finished = run_sweep(
                opened,
                described,
                backend=backend,
                as_of=_utc(as_of),
                memory=parse_bytes(memory),
                jobs=jobs,
                anew=anew,
                progress=progress,
            )
    except KeyboardInterrupt:
        command = "the same command without --anew" if anew else "the same command"
        _fail(f"interrupted; what is finished is in the ledger, and {command} goes on from there", 130)
    summary = summarise(opened, finished)
    report = None if no_report else write_report(opened, finished, summary).resolve()
    if report is not None:
        typer.echo(f"report: {report}", err=True)
    if output == "json":
        typer.echo(sweep_json(finished, summary, report=report))
    else:
        render_sweep(finished, summary)


def _open(root: Path | None, *, create: bool = False) -> "Store":
    """Open the store and say where it is."""
    from parquet_store import default_root, open_store

    place = root or default_root()
    typer.echo(f"store: {place.resolve()}", err=True)
    return open_store(place, create=create)


def _import_bars(opened: "Store", files: list[Path], source: str | None, time_zone: str | None) -> None:
    """Import intraday bars and say what came in."""
    from parquet_store.bars import import_bars

    report = import_bars(opened, files, source=source, time_zone=time_zone)
    typer.echo(
        f"{report.rows:,} bars of {report.symbols:,} symbols: {report.new:,} new, {report.revised:,} revised, "
        f"{report.unchanged:,} unchanged, {report.held:,} put into quarantine"
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def main() -> NoReturn:
    """Run the command line; an error of the user's ends with one sentence and exit code 2."""
    try:
        app()
    except BrokenPipeError:  # the reader of a pipe went away; nothing more can be written, nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        from parquet_store.errors import EngineError  # here, because its package takes longer to import than --help

        if not isinstance(error, EngineError):
            raise
        _fail(str(error), 2)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"engine: {message}", err=True)
    sys.exit(code)
