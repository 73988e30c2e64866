"""What several commands share: options, the store they open, how they fail."""

import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from parquet_store import Store

__all__ = [
    "AsOf",
    "Assignments",
    "Form",
    "FrameForm",
    "StorePath",
    "StrategyName",
    "fail",
    "find_store_at",
    "open_store_at",
    "repair_manifest_at",
    "say_simulated",
    "store_to_fill_at",
    "utc",
]

StorePath = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of the store; else $ENGINE_STORE, else ./store.", show_default=False),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        help="Use only what was stored by this moment (UTC).",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"],
        show_default=False,
    ),
]
StrategyName = Annotated[str, typer.Argument(help="Name of the strategy, as in `engine strategy list`.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="parameter=value", help="A parameter's value; may be repeated.", show_default=False),
]
Form = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")]
FrameForm = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")]


def open_store_at(root: Path | None, *, create: bool = False) -> "Store":
    """Open the store and say where it is."""
    from parquet_store import open_store

    return open_store(_place(root), create=create)


def store_to_fill_at(root: Path | None) -> AbstractContextManager["Store"]:
    """Open the store, or make one that is removed again if the block fails, and say where it is."""
    from parquet_store import store_to_fill

    return store_to_fill(_place(root))


def repair_manifest_at(root: Path | None) -> None:
    """Put the copy of a manifest that cannot be read in its place, and say so."""
    from parquet_store import default_root, restore_manifest

    if restore_manifest(root or default_root()):
        typer.echo("restored: manifest.json, from its copy", err=True)


def find_store_at(root: Path | None) -> "Store | None":
    """Open the store if it is there, and say where it is or would be."""
    from parquet_store import find_store

    return find_store(_place(root))


def say_simulated(*, simulated: bool) -> None:
    """Say on standard error, whatever the format of the output, that the data are those of the simulated market."""
    from engine.simulated import SIMULATED_NOTICE

    if simulated:
        typer.echo(SIMULATED_NOTICE, err=True)


def _place(root: Path | None) -> Path:
    from parquet_store import default_root

    place = root or default_root()
    typer.echo(f"store: {place.resolve()}", err=True)
    return place


def utc(moment: datetime | None) -> datetime | None:
    """Read a moment of the command line as UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong in one sentence and end with an exit code."""
    typer.echo(f"engine: {message}", err=True)
    sys.exit(code)
