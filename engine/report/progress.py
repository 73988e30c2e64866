"""Progress of a sweep on standard error: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from kernels.compile import compilation_notice

__all__ = ["sweep_progress"]

LINE_SECONDS = 5.0


class SweepProgress:
    """What `run_sweep` reports to: called with the combinations finished and their total."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("preparing", total=None, speed="")
        self._before: int | None = None
        self._began: tuple[float, int] | None = None
        self._last_line = time.monotonic()

    def __call__(self, finished: int, total: int) -> None:
        """Show how many combinations are finished.

        Speed and time left count from the first result on: what comes before it, a compilation perhaps, is done once.
        """
        now = time.monotonic()
        if self._before is None:
            self._before = finished
        if finished == self._before:
            self.say("starting")
            return
        if self._began is None:
            self._began = (now, finished)
        seconds, done = now - self._began[0], finished - self._began[1]
        speed = f"{done / seconds:,.0f} a second" if done and seconds > 0 else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description="sweeping", completed=finished, total=total, speed=speed)
        elif done and now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            left = (total - finished) * seconds / done
            sys.stderr.write(f"{finished:,} of {total:,} combinations, {speed}, {left:,.0f} s left\n")

    def say(self, what: str) -> None:
        """Show what is being done before the first result, for example a compilation."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=what)
        elif time.monotonic() - self._last_line >= LINE_SECONDS:
            self._last_line = time.monotonic()
            sys.stderr.write(f"{what}\n")


@contextmanager
def sweep_progress() -> Iterator[SweepProgress]:
    """Show progress while the block runs, what is being compiled included; nothing stays on a terminal afterwards."""
    console = Console(stderr=True)
    if not console.is_terminal:
        progress = SweepProgress(None)
        with compilation_notice(lambda _: progress.say("compiling; later runs find it done")):
            yield progress
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        progress = SweepProgress(bar)
        with compilation_notice(lambda _: progress.say("compiling; later runs find it done")):
            yield progress
