"""An answer as a table for a terminal: as many rows and columns as fit, and a word about the rest."""

from collections.abc import Sequence
from io import StringIO
from math import isnan

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["table_text"]

_WIDEST_CELL = 40
_BETWEEN_COLUMNS = 2
_UNBOUNDED = 1_000_000
_LARGEST_WHOLE = 2.0**53


def table_text(first: pl.DataFrame, last: pl.DataFrame, rows: int, width: int | None) -> str:
    """Return the first and the last rows of an answer as a table.

    Parameters
    ----------
    first, last
        Rows of numbers, truth values and text, with the same columns; rows between them are left out.
    rows
        How many rows the answer has.
    width
        The columns of a line; None: no limit.
    """
    cells = {name: [*map(_cell, first[name].to_list()), *map(_cell, last[name].to_list())] for name in first.columns}
    shown = _fitting(cells, width)
    left_out = rows - first.height - last.height
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, _BETWEEN_COLUMNS - 1, 0, 0), show_edge=False)
    for name in shown:
        numeric = name in first.columns and first.schema[name].is_numeric()
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True, max_width=_WIDEST_CELL)
    for number in range(first.height + last.height):
        if left_out and number == first.height:
            table.add_row(*("…" for _ in shown))
        table.add_row(*(cells[name][number] if name in cells else "…" for name in shown))
    buffer = StringIO()
    console = Console(file=buffer, width=_UNBOUNDED, force_terminal=False, highlight=False, markup=False)
    console.print(table)
    lines = [line.rstrip() for line in buffer.getvalue().splitlines()]
    return "\n".join([*lines, "", _summary(rows, left_out, len(first.columns), len(shown) - ("…" in shown))]) + "\n"


def _summary(rows: int, left_out: int, columns: int, shown: int) -> str:
    parts = [f"{rows:,} {'row' if rows == 1 else 'rows'}"]
    if left_out:
        parts.append(f"{left_out:,} of them not shown")
    if shown < columns:
        parts.append(f"{columns - shown} of {columns} columns not shown")
    if len(parts) > 1:
        parts.append("--format csv shows all")
    return "; ".join(parts)


def _fitting(cells: dict[str, list[str]], width: int | None) -> Sequence[str]:
    """Return the columns that fit on a line, from both ends inwards, with a mark where some are left out."""
    names = list(cells)
    widths = [min(_WIDEST_CELL, max(map(len, [name, *column]))) + _BETWEEN_COLUMNS for name, column in cells.items()]
    if width is None or sum(widths) <= width:
        return names
    room = width - len("…") - _BETWEEN_COLUMNS
    left, right = 0, len(names)
    while left < right:
        take_left = left <= len(names) - right
        room -= widths[left if take_left else right - 1]
        if room < 0 and left > 0:
            break
        left, right = (left + 1, right) if take_left else (left, right - 1)
    return [*names[:left], "…", *names[right:]] if left < right else names


def _cell(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _LARGEST_WHOLE
        return "NaN" if isnan(value) else f"{value:.0f}" if whole else f"{value:.10g}"
    return str(value).replace("\n", "⏎")
