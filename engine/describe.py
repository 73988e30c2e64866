"""What a strategy is, as plain values: for `engine strategy`, for documentation and for programs."""

import inspect
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

import engine.strategies
from engine.panel import NEXT_MORNING
from engine.strategies import (
    Ambiguity,
    InsightRule,
    Parameters,
    Strategy,
    depends_on,
    documentation,
    find_strategy,
    strategy_names,
)
from engine.sweep.grid import Grid, load_grid
from parquet_store import load_universe

__all__ = [
    "ConditionDescription",
    "GridDescription",
    "InsightRuleDescription",
    "ParameterDescription",
    "SeriesDescription",
    "StrategyDescription",
    "describe",
    "describe_all",
    "shipped_grid",
]

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
"""The folder of the grids that the project ships."""


@dataclass(frozen=True)
class ParameterDescription:
    """One parameter.

    Attributes
    ----------
    name, default, unit, meaning, source
        As declared; the default as JSON would hold it.
    range
        The two ends of the range that the document gives; None where it gives one value, and for choices.
    choices
        The values it may take, for a choice; empty for a number.
    limits
        Bounds beyond which it makes no sense at all: ``ge``, ``gt``, ``le``, ``lt`` to a number.
    """

    name: str
    default: Any
    range: tuple[Any, Any] | None
    unit: str
    meaning: str
    source: str
    choices: tuple[Any, ...]
    limits: Mapping[str, float]


@dataclass(frozen=True)
class SeriesDescription:
    """One series that is read or traded, as the universe knows it.

    Attributes
    ----------
    name
        As the strategy names it, with ``@next_morning`` where it is read on the morning after the session.
    read, optional, traded
        What it is used for; an optional one is read under some parameters only.
    title, unit, source, known
        From the universe; empty for a series that it does not name.
    """

    name: str
    read: bool
    optional: bool
    traded: bool
    title: str
    unit: str
    source: str
    known: str


@dataclass(frozen=True)
class ConditionDescription:
    """One condition: its bit in the code, what it says, and the parameters it depends on."""

    bit: int
    text: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class InsightRuleDescription:
    """One claim of the document, as in `engine.strategies.InsightRule`; ``conditions`` are their texts."""

    name: str
    title: str
    conditions: tuple[str, ...]
    claim: str
    expected: str
    horizons: tuple[int, int] | None
    confidence: float
    universe: tuple[str, ...]
    failure_modes: tuple[str, ...]


@dataclass(frozen=True)
class GridDescription:
    """A grid that the project ships: its file, its size, the values of each swept parameter, its sample."""

    file: str
    combinations: int
    axes: Mapping[str, tuple[Any, ...]]
    first: str | None
    last: str | None


@dataclass(frozen=True)
class StrategyDescription:
    """One strategy.

    Attributes
    ----------
    name, title, source, inputs, optional_inputs, legs, postures, ambiguities
        As in `engine.strategies.Strategy`.
    summary
        The docstring of its module: the rule in full.
    series
        What is known of each input and leg.
    parameters, conditions
        In the order of their declaration.
    target_weights
        Posture to leg to fraction of equity, at the defaults.
    insight_rules
        What the document claims to follow when some of the conditions hold.
    grids
        Those that are shipped, its own first.
    """

    name: str
    title: str
    source: str
    summary: str
    inputs: tuple[str, ...]
    optional_inputs: tuple[str, ...]
    legs: tuple[str, ...]
    series: tuple[SeriesDescription, ...]
    parameters: tuple[ParameterDescription, ...]
    conditions: tuple[ConditionDescription, ...]
    postures: tuple[str, ...]
    target_weights: Mapping[str, Mapping[str, float]]
    ambiguities: tuple[Ambiguity, ...]
    insight_rules: tuple[InsightRuleDescription, ...]
    grids: tuple[GridDescription, ...]


def describe(name: str) -> StrategyDescription:
    """Describe one strategy.

    Raises
    ------
    StrategyError
        There is none of that name.
    GridError
        A grid that is shipped with it cannot be read.
    """
    strategy = find_strategy(name)
    return StrategyDescription(
        name=strategy.name,
        title=strategy.title,
        source=strategy.source,
        summary=inspect.getdoc(sys.modules[f"{engine.strategies.__name__}.{name}"]) or "",
        inputs=strategy.inputs,
        optional_inputs=strategy.optional_inputs,
        legs=strategy.legs,
        series=_describe_series(strategy),
        parameters=tuple(_describe_parameter(strategy.parameters, key) for key in _ordered_parameters(strategy)),
        conditions=tuple(
            ConditionDescription(bit, condition.text, depends_on(condition.read))
            for bit, condition in enumerate(strategy.conditions)
        ),
        postures=strategy.postures,
        target_weights=_default_weights(strategy),
        ambiguities=strategy.ambiguities,
        insight_rules=tuple(_describe_insight_rule(strategy, rule) for rule in strategy.insight_rules),
        grids=tuple(_describe_grid(path, load_grid(path)) for path in _grid_files(name)),
    )


def describe_all() -> tuple[StrategyDescription, ...]:
    """Describe every strategy, sorted by name."""
    return tuple(describe(name) for name in strategy_names())


def shipped_grid(name: str) -> Grid | None:
    """Return the grid that the project ships for a strategy; None where it ships none."""
    files = _grid_files(name)
    return load_grid(files[0]) if files else None


def _describe_series(strategy: Strategy) -> tuple[SeriesDescription, ...]:
    universe = load_universe()
    described = []
    for name in dict.fromkeys((*strategy.series, *strategy.optional_inputs)):
        known = universe.find(name.removesuffix(NEXT_MORNING))
        described.append(
            SeriesDescription(
                name=name,
                read=name in strategy.inputs or name in strategy.optional_inputs,
                optional=name in strategy.optional_inputs,
                traded=name in strategy.legs,
                title=known.title if known else "",
                unit=known.unit if known else "",
                source=known.source if known else "",
                known=known.known if known else "",
            )
        )
    return tuple(described)


def _ordered_parameters(strategy: Strategy) -> list[str]:
    """Names of the parameters: the strategy's own, then those that every strategy has."""
    fields = strategy.parameters.model_fields
    return sorted(fields, key=lambda name: name in Parameters.model_fields)


def _describe_parameter(model: type[Parameters], name: str) -> ParameterDescription:
    field, note = model.model_fields[name], documentation(model, name)
    choices = _choices(field.annotation)
    limits = {
        bound: value
        for item in field.metadata
        for bound in ("ge", "gt", "le", "lt")
        if (value := getattr(item, bound, None)) is not None
    }
    default = field.get_default(call_default_factory=True, validated_data={})
    return ParameterDescription(
        name=name,
        default=default.model_dump(mode="json") if isinstance(default, BaseModel) else default,
        range=(note.documented[0], note.documented[-1]) if note.documented and not choices else None,
        unit=note.unit,
        meaning=note.meaning,
        source=note.source,
        choices=choices,
        limits=limits,
    )


def _choices(annotation: Any) -> tuple[Any, ...]:
    if annotation is bool:
        return (True, False)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _default_weights(strategy: Strategy) -> dict[str, dict[str, float]]:
    defaults = strategy.parameters()
    names = depends_on(strategy.target_weights)
    weights = strategy.target_weights(**{name: getattr(defaults, name) for name in names})
    return {
        posture: dict(zip(strategy.legs, row.tolist(), strict=True))
        for posture, row in zip(strategy.postures, weights, strict=True)
    }


def _describe_insight_rule(strategy: Strategy, rule: InsightRule) -> InsightRuleDescription:
    texts = {condition.read: condition.text for condition in strategy.conditions}
    return InsightRuleDescription(
        name=rule.name,
        title=rule.title,
        conditions=tuple(texts[read] for read in rule.conditions),
        claim=rule.claim,
        expected=rule.expected,
        horizons=rule.horizons,
        confidence=rule.confidence,
        universe=rule.universe,
        failure_modes=rule.failure_modes,
    )


def _grid_files(name: str) -> list[Path]:
    """Return the shipped grids of a strategy, the one that bears its name first."""
    paths = sorted(CONFIGS.glob("*.toml"), key=lambda path: (path.stem != name, path.name))
    return [path for path in paths if _strategy_of(path) == name]


def _strategy_of(path: Path) -> str | None:
    """Name of the strategy that a file sweeps; None for a file that is no grid."""
    strategy = tomllib.loads(path.read_text(encoding="utf-8")).get("strategy")
    return strategy.get("name") if isinstance(strategy, dict) else None


def _describe_grid(path: Path, grid: Grid) -> GridDescription:
    first, last = (None if day is None else day.isoformat() for day in (grid.sample.first, grid.sample.last))
    return GridDescription(f"{CONFIGS.name}/{path.name}", grid.size, dict(grid.axes), first, last)
