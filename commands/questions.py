"""``engine sql``: questions to the store."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.options import AsOf, StorePath, open_store_at, utc

__all__ = ["sql"]


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
        open_store_at(store),
        text if text is not None else file,  # type: ignore[arg-type]  # one of them is given
        out or sys.stdout.buffer,
        form=output,
        as_of=utc(as_of),
        allow_external=allow_external,
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
    )
    if out:
        typer.echo(f"{rows:,} rows written to {out}", err=True)
