"""Statements that take the reader of a sweep into the ledger."""

from collections.abc import Sequence
from typing import Any

from engine.metrics import METRICS
from engine.sweep.run import SweepRun

__all__ = ["command", "questions"]


def questions(sweep: SweepRun, metric: str, axes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Three questions and the SQL that answers each.

    Parameters
    ----------
    sweep
        The run that the statements speak of.
    metric
        By which combinations are ranked.
    axes
        The grid's axes, those to be looked at first in front.
    """
    run = _literal(sweep.run.run_id)
    higher = next(item.higher_is_better for item in METRICS if item.name == metric)
    order, best = ("DESC", "max") if higher else ("ASC", "min")
    swept = "".join(f"{_identifier(name)}, " for name in sweep.plan.grid.axes)
    by = "".join(f"{_identifier(name)}, " for name in axes[:2])
    return (
        (
            "Where is the plateau? The median of each cell, not its best.",
            f"SELECT {by}count(*) AS trials, median({metric}) AS median, {best}({metric}) AS best\n"
            f"FROM sweep_results WHERE run_id = {run}\n"
            f"GROUP BY ALL ORDER BY median {order} NULLS LAST LIMIT 20",
        ),
        (
            "Which combinations earn something net without ever losing a fifth, and what do costs take?",
            f"SELECT {swept}total_return, gross_total_return - total_return AS costs, max_drawdown, trades\n"
            f"FROM sweep_results WHERE run_id = {run} AND total_return > 0 AND max_drawdown > -0.2\n"
            f"ORDER BY {metric} {order} LIMIT 20",
        ),
        (
            "How often has this strategy been tried? Every sweep counts against its winner.",
            'SELECT run_id, grid_name, combinations, "distinct", first, last, simulated, started_at\n'
            f"FROM sweep_runs WHERE strategy = {_literal(sweep.run.strategy)} ORDER BY started_at",
        ),
    )


def command(statement: str) -> str:
    """Return the command that asks a statement, for a shell."""
    escaped = "".join(f"\\{letter}" if letter in '\\"$`' else letter for letter in statement)
    return f'engine sql "{escaped}"'


def _identifier(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


def _literal(text: Any) -> str:
    return "'" + str(text).replace("'", "''") + "'"
