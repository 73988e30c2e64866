"""Tables of text on the terminal, and values as a grid file writes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from engine.simulated import SIMULATED_NOTICE

__all__ = ["field_table", "moment_text", "simulated_banner", "text_table", "value_text"]


def text_table(
    title: str | None, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()
) -> Table:
    """Return a table of cells that are text already.

    The first column keeps its lines whole, the others fold; the columns ``right`` are flush right.
    """
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if name in right else "left", no_wrap=k == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def field_table(fields: Iterable[tuple[str, str]]) -> Table:
    """Return lines of a name and a text."""
    table = Table.grid(padding=(0, 2))
    for name, text in fields:
        table.add_row(Text(name, style="bold"), Text(text))
    return table


def simulated_banner(*, simulated: bool) -> list[tuple[str, str]]:
    """Return the first line of a heading on the simulated market, and none on a real one."""
    return [("SIMULATED", SIMULATED_NOTICE)] if simulated else []


def value_text(value: object) -> str:
    """Write a value as a grid file would, words without quotes."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_text(item)}" for key, item in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def moment_text(moment: datetime | None) -> str:
    """Write a moment in UTC to the minute."""
    return "unknown" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
