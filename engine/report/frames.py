"""A frame as a table on the terminal, as CSV or as JSON."""

import json
import sys
from datetime import datetime
from typing import Literal

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["UNBOUNDED_WIDTH", "FrameFormat", "console_for_output", "frame_text", "print_frame"]

FrameFormat = Literal["table", "csv", "json"]

UNBOUNDED_WIDTH = 1000
"""Columns where the output is not a terminal: nobody folds a line there."""

FOLDED_WIDTH = 20
"""A column of text may be folded to this width before another column is left out."""


def console_for_output() -> Console:
    """Return a console on standard output; where that is no terminal, lines may be as long as they need to be."""
    return Console(width=None if sys.stdout.isatty() else UNBOUNDED_WIDTH)


def print_frame(
    frame: pl.DataFrame, form: FrameFormat = "table", *, title: str | None = None, console: Console | None = None
) -> None:
    """Print a frame to standard output."""
    if form == "table":
        console = console or console_for_output()
        console.print(_fitting_table(frame, title, console))
    else:
        sys.stdout.write(frame_text(frame, form))


def frame_text(frame: pl.DataFrame, form: Literal["csv", "json"]) -> str:
    """Return a frame as CSV, or as a JSON list of objects with ISO dates."""
    if form == "csv":
        return frame.with_columns(_joined_lists(frame)).write_csv()
    return json.dumps(frame.to_dicts(), default=str, indent=2) + "\n"


def _joined_lists(frame: pl.DataFrame) -> list[pl.Expr]:
    names = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    return [pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in names]


def _fitting_table(frame: pl.DataFrame, title: str | None, console: Console) -> Table:
    """Leave out columns, the last ones first, until the table fits the terminal, and say which."""
    shown = frame.columns
    unbounded = console.options.update(max_width=UNBOUNDED_WIDTH)
    while len(shown) > 1:
        table = _table(frame.select(shown), title, text_width=FOLDED_WIDTH)
        if console.measure(table, options=unbounded).maximum <= console.width:
            break
        shown = shown[:-1]
    table = _table(frame.select(shown), title)
    if left_out := [name.replace("_", " ") for name in frame.columns[len(shown) :]]:
        table.caption = "No room for " + ", ".join(left_out)
        table.caption_justify = "left"
    return table


def _table(frame: pl.DataFrame, title: str | None, text_width: int | None = None) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, dtype in frame.schema.items():
        fixed = dtype.is_temporal() or dtype.is_numeric()
        table.add_column(
            name.replace("_", "\n"),
            justify="right" if dtype.is_numeric() else "left",
            no_wrap=fixed,
            max_width=None if fixed else text_width,
        )
    years = [name == "year" for name in frame.columns]
    for row in frame.iter_rows():
        table.add_row(*(str(value) if year else _cell(value) for year, value in zip(years, row, strict=True)))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
    if isinstance(value, list):
        return " ".join(_cell(item) for item in value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
