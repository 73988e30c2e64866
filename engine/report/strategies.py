"""Strategies on the terminal and as JSON: the list of them, and one in full."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.describe import InsightRuleDescription, ParameterDescription, SeriesDescription, StrategyDescription
from engine.report.frames import console_for_output
from engine.report.tables import text_table, value_text

__all__ = ["render_strategies", "render_strategy", "strategies_json", "strategy_json"]

_LISTED = ("name", "title", "source", "inputs", "optional_inputs", "legs", "parameters")
"""What the list says of each strategy as JSON."""


def strategies_json(strategies: Iterable[StrategyDescription]) -> str:
    """Return a JSON list with one object a strategy."""
    described = [_plain(strategy) for strategy in strategies]
    return json.dumps([{key: one[key] for key in _LISTED} for one in described], default=str, indent=2)


def strategy_json(strategy: StrategyDescription) -> str:
    """Return all that is known of one strategy as a JSON object."""
    return json.dumps(_plain(strategy), default=str, indent=2)


def _plain(strategy: StrategyDescription) -> dict[str, Any]:
    content = asdict(strategy)
    content["ambiguities"] = [ambiguity._asdict() for ambiguity in strategy.ambiguities]
    return content


def render_strategies(strategies: Iterable[StrategyDescription]) -> None:
    """Print one line a strategy."""
    rows = [
        (
            each.name,
            each.title,
            " ".join((*each.inputs, *(f"({name})" for name in each.optional_inputs))),
            " ".join(each.legs),
            str(len(each.parameters)),
            f"{each.grids[0].combinations:,}" if each.grids else "-",
        )
        for each in strategies
    ]
    columns = ("name", "title", "reads (if asked to)", "trades", "parameters", "combinations")
    console_for_output().print(text_table(None, columns, rows, right=("parameters", "combinations")))


def render_strategy(strategy: StrategyDescription, console: Console | None = None) -> None:
    """Print one strategy in full."""
    console = console or console_for_output()
    for part in (
        Text(f"{strategy.name}: {strategy.title}", style="bold"),
        Text(strategy.summary.replace("``", "")),
        _series(strategy.series),
        _parameters(strategy.parameters),
        _conditions(strategy),
        _weights(strategy),
        *([_insight_rules(strategy.insight_rules)] if strategy.insight_rules else ()),
        *(_ambiguities(strategy) if strategy.ambiguities else ()),
        _sweeps(strategy),
    ):
        console.print(part)
        console.print()


def _series(series: Sequence[SeriesDescription]) -> Table:
    rows = [
        (each.name, each.title, _use(each), each.unit, each.known.replace("_", " "), each.source) for each in series
    ]
    return text_table("Series", ("series", "title", "use", "unit", "known at", "source"), rows)


def _use(series: SeriesDescription) -> str:
    uses = (
        ("read under some parameters", series.optional),
        ("read", series.read and not series.optional),
        ("traded", series.traded),
    )
    return ", ".join(text for text, holds in uses if holds)


def _parameters(parameters: Sequence[ParameterDescription]) -> Table:
    rows = [
        (each.name, value_text(each.default), _range(each), each.unit, each.meaning, each.source) for each in parameters
    ]
    return text_table("Parameters", ("parameter", "default", "range", "unit", "meaning", "source"), rows)


def _range(parameter: ParameterDescription) -> str:
    """Write the documented range, else the choices, else the limits of what makes sense."""
    if parameter.range is not None:
        return f"{value_text(parameter.range[0])} to {value_text(parameter.range[1])}"
    if parameter.choices:
        return " | ".join(value_text(choice) for choice in parameter.choices)
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    limits = " and ".join(f"{signs[bound]} {value_text(limit)}" for bound, limit in parameter.limits.items())
    return f"({limits})" if limits else "-"


def _conditions(strategy: StrategyDescription) -> Table:
    rows = [(str(each.bit), each.text, ", ".join(each.parameters) or "-") for each in strategy.conditions]
    return text_table("Conditions: bits of a session's code", ("bit", "condition", "depends on"), rows)


def _weights(strategy: StrategyDescription) -> Table:
    rows = [
        (str(number), posture, *(f"{weight:+.4g}" if weight else "0" for weight in weights.values()))
        for number, (posture, weights) in enumerate(strategy.target_weights.items())
    ]
    return text_table("Target weights at the defaults", ("number", "posture", *strategy.legs), rows)


def _insight_rules(rules: Sequence[InsightRuleDescription]) -> Table:
    rows = [
        (
            each.name,
            "; ".join(each.conditions),
            each.claim,
            f"{each.horizons[0]} to {each.horizons[1]}" if each.horizons else "-",
            f"{each.confidence:g}",
            "; ".join(each.universe),
            "; ".join(each.failure_modes),
        )
        for each in rules
    ]
    columns = ("rule", "fires when", "claims", "sessions", "confidence", "applies to", "fails when")
    return text_table("Rules of the document: claims about what follows", columns, rows, right=("confidence",))


def _ambiguities(strategy: StrategyDescription) -> list[RenderableType]:
    switches = {parameter.name for parameter in strategy.parameters}
    parts: list[RenderableType] = [Text("Where the document can be read in two ways", style="italic")]
    for each in strategy.ambiguities:
        table = Table.grid(padding=(0, 2))
        for reading, text in each.readings.items():
            default = "(default)" if each.chosen in reading.split(", ") else ""
            setting = reading if reading in switches else f"{each.parameter} = {reading}"
            table.add_row("", setting, default, text)
        parts.append(Group(Text(each.text), table))
    return parts


def _sweeps(strategy: StrategyDescription) -> RenderableType:
    if not strategy.grids:
        return Text(f'No grid is shipped. Write one with [strategy] name = "{strategy.name}" and a [grid] table.')
    table = Table.grid(padding=(0, 2))
    for grid in strategy.grids:
        swept = ", ".join(f"{name} ({len(values)})" for name, values in grid.axes.items())
        sample = f"{grid.first or 'the first session'} to {grid.last or 'the last'}"
        table.add_row(f"engine sweep --grid {grid.file}", f"{grid.combinations:,} combinations of {swept}", sample)
    return Group(Text("How to sweep it", style="italic"), table)
