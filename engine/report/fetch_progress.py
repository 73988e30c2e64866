"""Progress of a fetch on standard error: a bar a series on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

__all__ = ["fetch_progress"]

_STEPS = {"waiting": 0, "asking": 1, "judging": 2, "ok": 3, "failed": 3}
"""What can happen to a series, in the order in which it does."""


@contextmanager
def fetch_progress(series: Sequence[str]) -> Iterator[Callable[[str, str], None]]:
    """Show a bar for each series while the block runs; nothing stays on the terminal afterwards.

    Yields
    ------
    callable
        To be called with a series and what happens to it; from any thread.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _series, _what: None
        return
    columns = (
        TextColumn("{task.description:>14}"),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        last = max(_STEPS.values())
        bars: dict[str, TaskID] = {name: progress.add_task(name, total=last, what="waiting") for name in series}
        yield lambda name, what: progress.update(bars[name], completed=_STEPS[what], what=what)
