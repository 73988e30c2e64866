"""``engine strategy``, ``explain``, ``monitor`` and ``audit``: what a strategy is, decides, says today, looks at."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.options import AsOf, Assignments, Form, StorePath, StrategyName, open_store_at, utc

__all__ = ["app", "audit", "explain", "monitor"]

app = typer.Typer(help="List the strategies and show what each is made of.", no_args_is_help=True)


@app.command("list")
def strategy_list(
    output: Form = "table",
) -> None:
    """List the strategies: inputs, legs, parameters and the size of the grid that is shipped."""
    from engine.describe import describe_all
    from engine.report.strategies import render_strategies, strategies_json

    if output == "json":
        typer.echo(strategies_json(describe_all()))
    else:
        render_strategies(describe_all())


@app.command("show")
def strategy_show(
    name: StrategyName,
    output: Form = "table",
) -> None:
    """Show a strategy: inputs, parameters, ranges, sources, conditions, weights, both readings of every ambiguity."""
    from engine.describe import describe
    from engine.report.strategies import render_strategy, strategy_json

    if output == "json":
        typer.echo(strategy_json(describe(name)))
    else:
        render_strategy(describe(name))


def explain(
    name: StrategyName,
    date: Annotated[datetime, typer.Option("--date", help="A session.", formats=["%Y-%m-%d"], show_default=False)],
    assignments: Assignments = None,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Form = "table",
) -> None:
    """Explain a day: each condition with its value, threshold and verdict, the rule's state, the next trade."""
    from engine.explain import explain as explain_day
    from engine.report.explanation import explanation_json, render_explanation
    from engine.strategies import parse_assignments

    values = parse_assignments(assignments or ())
    explanation = explain_day(open_store_at(store), name, date.date(), values, as_of=utc(as_of))
    if output == "json":
        typer.echo(explanation_json(explanation))
    else:
        render_explanation(explanation)


def monitor(
    date: Annotated[
        datetime | None,
        typer.Option("--date", help="A session; else the last one of the store.", formats=["%Y-%m-%d"]),
    ] = None,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Form = "table",
) -> None:
    """Say which regime every strategy is in at a close, which rules of the documents fire, and how old the data are."""
    from engine.monitor import monitor as monitor_day
    from engine.report.monitor import monitor_json, render_monitor

    seen = monitor_day(open_store_at(store), date.date() if date else None, as_of=utc(as_of))
    if output == "json":
        typer.echo(monitor_json(seen))
    else:
        render_monitor(seen)


def audit(
    name: StrategyName,
    grid: Annotated[
        Path | None,
        typer.Option("--grid", help="Take combinations from this grid; else from the shipped one.", show_default=False),
    ] = None,
    assignments: Assignments = None,
    cuts: Annotated[int, typer.Option(min=1, help="Sessions after which each combination's history is cut.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of combinations, cuts, noise and holes.")] = 0,
    store: StorePath = None,
    as_of: AsOf = None,
    output: Form = "table",
) -> None:
    """Look for look-ahead: compute everything again without the future; exit code 1 if anything changes."""
    from engine.audit import audit as audit_strategy
    from engine.audit import audited_combinations
    from engine.report.audit import audit_json, render_audit
    from engine.strategies import parse_assignments
    from engine.sweep import load_grid

    values = parse_assignments(assignments or ())
    chosen = audited_combinations(name, grid=load_grid(grid) if grid else None, values=values, seed=seed)
    audited = audit_strategy(open_store_at(store), chosen, cuts=cuts, seed=seed, as_of=utc(as_of))
    if output == "json":
        typer.echo(audit_json(audited))
    else:
        render_audit(audited)
    if audited.leaks:
        raise typer.Exit(1)
