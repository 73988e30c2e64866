"""The command ``engine``: the commands put together, and how an error of the user's ends."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from commands import data, questions, research, strategies, sweep
from commands.options import fail

app = typer.Typer(
    name="engine",
    help="Research engine for credit-stress strategies: data in Parquet, questions in SQL, large parameter sweeps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(strategies.app, name="strategy")
app.command()(questions.sql)
app.command()(strategies.explain)
app.command()(strategies.monitor)
app.command()(strategies.audit)
app.command()(sweep.sweep)
app.command()(research.study)
app.command()(research.replicate)
app.command()(research.falsify)


def _show_version(wanted: bool) -> None:
    if wanted:
        from engine.version import code_version

        typer.echo(code_version())
        raise typer.Exit


@app.callback()
def engine(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version of the code.")
    ] = False,
) -> None:
    """Research engine for credit-stress strategies: data in Parquet, questions in SQL, large parameter sweeps."""


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
        fail(str(error), 2)
    sys.exit(0)
