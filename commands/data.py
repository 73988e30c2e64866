"""``engine data``: fill, inspect, check and export the store."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from commands.options import (
    AsOf,
    FrameForm,
    StorePath,
    fail,
    find_store_at,
    open_store_at,
    repair_manifest_at,
    store_to_fill_at,
    utc,
)

if TYPE_CHECKING:
    from parquet_store import Store
    from parquet_store.checks import CheckReport

__all__ = ["app"]

app = typer.Typer(help="Fill, inspect and export the store.", no_args_is_help=True)


@app.command("demo")
def data_demo(
    store: StorePath = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the market; the shipped one by default.", show_default=False)
    ] = None,
) -> None:
    """Fill a store with the simulated market: every series the strategies use, from 2005 on."""
    from parquet_store.simulation import write_simulated

    opened = open_store_at(store, create=True)
    written = write_simulated(opened, seed)
    rows = sum(entry.rows for entry in written)
    typer.echo(f"{rows:,} rows of the SIMULATED market written" if rows else "the SIMULATED market is already there")


@app.command("import")
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

    with store_to_fill_at(store) as opened:
        if kind == "bars":
            _import_bars(opened, files, source, time_zone)
            return
        report = import_files(opened, files, name=name, kind=kind, unit=unit, basis=basis, known=known, source=source)
    print_frame(report.files)
    print_frame(report.series)
    for note in report.notes:
        typer.echo(f"Note: {note}.")


def _import_bars(opened: "Store", files: list[Path], source: str | None, time_zone: str | None) -> None:
    """Import intraday bars and say what came in."""
    from parquet_store.bars import import_bars

    report = import_bars(opened, files, source=source, time_zone=time_zone)
    typer.echo(
        f"{report.rows:,} bars of {report.symbols:,} symbols: {report.new:,} new, {report.revised:,} revised, "
        f"{report.unchanged:,} unchanged, {report.held:,} put into quarantine"
    )


@app.command("fetch")
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
    output: FrameForm = "table",
) -> None:
    """Fetch every series of the universe from its provider, and write what is new.

    Ends with exit code 0 if nothing failed, 3 if some series failed and others came in, 2 if none came in.
    """
    from parquet_store import yahoo_client

    if not (dry_run or vintages or series):
        yahoo_client.start()  # before the other imports, beside which it gets ready
    from engine.report.fetch_progress import fetch_progress
    from engine.report.frames import print_frame
    from parquet_store.fetching import Pace, asked_series, fetch, fetch_vintages, plan, plan_table

    first = since.date() if since else None
    if dry_run:
        if vintages:
            message = "--dry-run cannot tell what --vintages would ask for: that is for FRED to say"
            raise typer.BadParameter(message)
        print_frame(plan_table(plan(find_store_at(store), series=series, since=first, refresh=refresh)), output)
        return
    opened = open_store_at(store, create=True)
    if vintages:
        shown = fetch_vintages(opened, series=series, pace=Pace(timeout=timeout))
        print_frame(shown, output)
        _end_fetch(shown["state"].to_list())
    try:
        with fetch_progress(asked_series(series)) as progress:
            report = fetch(
                opened,
                series=series,
                since=first,
                refresh=refresh,
                pace=Pace(timeout=timeout),
                progress=progress,
            )
    except KeyboardInterrupt:
        fail("interrupted; the store is as it was, and the same command begins again", 130)
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


@app.command("revisions")
def data_revisions(
    series: Annotated[str, typer.Argument(help="Which series.", show_default=False)],
    store: StorePath = None,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """List what has changed in a series after it was first stored, and by how much."""
    from engine.report.frames import print_frame
    from parquet_store.history import list_revisions

    print_frame(list_revisions(open_store_at(store), series, as_of=utc(as_of)), output)


@app.command("rebuild")
def data_rebuild(
    store: StorePath = None,
    series: Annotated[
        list[str] | None, typer.Option(help="Only this series; may be repeated.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    output: FrameForm = "table",
) -> None:
    """Read the kept answers of all fetches again with today's parsers, and write what they read otherwise."""
    from engine.report.frames import print_frame
    from parquet_store.fetching import rebuild

    report = rebuild(open_store_at(store), series=series, dry_run=dry_run)
    print_frame(report.rows, output)
    for note in report.notes:
        typer.echo(f"Note: {note}.", err=True)
    what = "would change" if dry_run else "changed"
    typer.echo(
        f"{report.answers:,} answers of {report.fetches:,} fetches read; {report.rows.height:,} rows {what}", err=True
    )


@app.command("status")
def data_status(
    store: StorePath = None,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """Show each series of the store: range, rows, gaps, staleness, source, size."""
    from engine.report.frames import print_frame
    from parquet_store import status

    print_frame(status(open_store_at(store), as_of=utc(as_of)), output)


@app.command("export")
def data_export(
    table: Annotated[
        Literal["prices", "actions", "macro", "sweep_runs", "sweep_results", "study_runs", "study_figures"],
        typer.Argument(help="Which table."),
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
        open_store_at(store),
        table,
        out,
        series=series,
        first=first.date() if first else None,
        last=last.date() if last else None,
        as_of=utc(as_of),
    )
    typer.echo(f"{rows:,} rows written to {out}")


@app.command("check")
def data_check(
    store: StorePath = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged files again, put faulty rows into quarantine.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Take damaged files out of the store; they are kept in its folder damaged.")
    ] = False,
    as_of: AsOf = None,
    output: FrameForm = "table",
) -> None:
    """Check every byte and every row of the store; exit code 1 if a file is damaged or a row faulty."""
    from engine.report.frames import print_frame
    from parquet_store.checks import check_store

    if as_of is not None and (repair or drop):
        message = "--as-of looks at the past, which --repair and --drop cannot change; leave it out"
        raise typer.BadParameter(message)
    if repair:
        repair_manifest_at(store)
    opened = open_store_at(store)
    report = check_store(opened, as_of=utc(as_of))
    if report.findings.height or output != "table":
        print_frame(report.findings, output)
    if repair:
        _repair(opened, report)
    if drop:
        _drop(opened, report)
    left = check_store(opened) if repair or drop else report
    state = "sound" if left.sound else "NOT SOUND"
    typer.echo(f"{left.files:,} files, {left.rows:,} rows, {left.bytes:,} bytes: {state}", err=True)
    if not left.sound:
        sys.exit(1)


def _repair(opened: "Store", report: "CheckReport") -> None:
    """Repair what a check found, and say what could be done."""
    from parquet_store.checks import repair_store

    repaired = repair_store(opened, report)
    for entry in repaired.restored:
        typer.echo(f"restored: {entry.path}", err=True)
    for entry, remedy in repaired.lost:
        typer.echo(f"not restored: {entry.path}: {remedy}", err=True)
    typer.echo(f"{repaired.quarantined:,} rows put into quarantine", err=True)


def _drop(opened: "Store", report: "CheckReport") -> None:
    """Take damaged files out of the store, and name them."""
    from parquet_store.checks import drop_answers, drop_files

    for entry in drop_files(opened, report.damaged):
        typer.echo(f"taken out: {entry.path}", err=True)
    for path in drop_answers(opened, report.damaged_answers):
        typer.echo(f"taken out: {path.relative_to(opened.root)}", err=True)


@app.command("release")
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

    released = release(open_store_at(store), table, series, day=date.date() if date else None)
    typer.echo(f"{released.rows.height:,} rows released")
    if released.waiting:
        typer.echo(f"{released.waiting:,} of them come in with the next fetch or import")


@app.command("compact")
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

    opened = open_store_at(store)
    done = compact(opened)
    typer.echo(f"{len(done.replaced):,} files merged into {len(done.written):,}")
    if remove:
        typer.echo(f"{len(remove_unlisted(opened, grace=timedelta(hours=grace))):,} files removed")
