"""Tests of claims as a table, and on the terminal."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from engine.falsify import Tested, Tests
from engine.report.frames import console_for_output, print_frame
from engine.report.tables import field_table, simulated_banner

__all__ = ["render_tests", "tests_frame"]

Floats = NDArray[np.float64]


def render_tests(tests: Tests, console: Console | None = None) -> None:
    """Print the tests, and below them the notes."""
    console = console or console_for_output()
    if banner := simulated_banner(simulated=tests.panel.simulated):
        console.print(field_table(banner))
    print_frame(tests_frame(tests), console=console)
    for note in tests.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def tests_frame(tests: Tests) -> pl.DataFrame:
    """Return the tests as a table, one row a claim."""
    return pl.DataFrame([_row(tested) for tested in tests.tested], schema=_COLUMNS)


_COLUMNS = {
    "name": pl.String,
    "verdict": pl.String,
    "since": pl.Date,
    "over": pl.String,
    "mean_excess": pl.Float64,
    "sharpe": pl.Float64,
    "window_mean_excess": pl.Float64,
    "window_sharpe": pl.Float64,
    "sign_changes": pl.Int64,
    "last_sign_change": pl.Date,
    "broken_share": pl.Float64,
    "market": pl.String,
    "first": pl.Date,
    "last": pl.Date,
    "sessions": pl.Int64,
    "entries": pl.Int64,
    "window_entries": pl.Int64,
    "kind": pl.String,
    "reason": pl.String,
}


def _row(tested: Tested) -> dict[str, Any]:
    claim, result = tested.claim, tested.falsification
    row = {
        "name": claim.name,
        "verdict": tested.verdict,
        "over": tested.over,
        "market": claim.market,
        "first": tested.first,
        "last": tested.last,
        "kind": claim.kind,
        "reason": tested.reason,
    }
    if result is None:
        return row
    windows = ~np.isnan(result.rolling_mean_excess)
    return {
        **row,
        "since": result.since if tested.verdict == "broken" else None,
        "mean_excess": result.mean_excess,
        "sharpe": result.sharpe,
        "window_mean_excess": _last(result.rolling_mean_excess),
        "window_sharpe": _last(result.rolling_sharpe),
        "sign_changes": len(result.sign_changes),
        "last_sign_change": result.sign_changes[-1] if result.sign_changes else None,
        "broken_share": float(result.broken[windows].mean()) if windows.any() else None,
        "sessions": result.sessions,
        "entries": result.entries,
        "window_entries": tested.window_entries,
    }


def _last(values: Floats) -> float | None:
    return float(values[-1]) if len(values) and not np.isnan(values[-1]) else None
