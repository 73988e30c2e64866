"""A sweep as its TOML file describes it: strategy, grid, sample, costs, evaluation.

A grid is described, never materialised: one tuple of values for each swept parameter, in the order of the file.
Combination i is the i-th of their product, the last parameter varying fastest.
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from engine.metrics import RANKING_METRICS
from engine.panel import Sample
from engine.strategies import Parameters, Strategy, depends_on, find_strategy, parse_parameters
from parquet_store.errors import EngineError

__all__ = ["Costs", "Evaluation", "Grid", "GridError", "grid_of_one", "is_numeric_axis", "load_grid", "parse_grid"]

LONGEST_AXIS = 100_000
"""Values of one axis at the most: each is checked as a parameter before anything is computed."""


class GridError(EngineError):
    """The grid file cannot be read as a sweep."""


class Costs(BaseModel):
    """What trading costs, in basis points of each leg's traded notional, on the way in and on the way out.

    The two are added: a trade of notional N costs ``N * (commission_bps + slippage_bps) / 10,000``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commission_bps: float = Field(default=0.0, ge=0, le=1000, allow_inf_nan=False)
    slippage_bps: float = Field(default=0.0, ge=0, le=1000, allow_inf_nan=False)

    @property
    def rate(self) -> float:
        """Cost as a fraction of traded notional."""
        return (self.commission_bps + self.slippage_bps) / 10_000.0


class Evaluation(BaseModel):
    """Which combinations are evaluated, and how they are ranked.

    Attributes
    ----------
    metric
        By which combinations are ranked.
    sample
        How many combinations with a meaning are drawn at random, without replacement; all are evaluated if not given.
    seed
        Of the draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: Literal[RANKING_METRICS] = "sharpe"  # type: ignore[valid-type]  # pydantic reads the tuple
    sample: int | None = Field(default=None, ge=1, le=2**40, strict=True)
    seed: int = Field(default=1, ge=0, lt=2**63, strict=True)


def _day(value: object) -> object:
    """Refuse what pydantic would read as seconds since 1970."""
    if isinstance(value, date | str | None):
        return value
    kind, message = "day", "a day is wanted, such as 2018-01-02 without quotes"
    raise PydanticCustomError(kind, message)


class _SampleTable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Annotated[date | None, BeforeValidator(_day)] = None
    last: Annotated[date | None, BeforeValidator(_day)] = None
    warmup: Literal["inside", "before"] = "inside"


@dataclass(frozen=True)
class Grid:
    """A validated sweep.

    Attributes
    ----------
    name
        The file's name without its ending.
    strategy
        What is swept.
    fixed
        Parameters that are the same in every combination.
    axes
        Swept parameter to its values; parameters in the order of the file, numbers rising or falling.
    sample, costs, evaluation
        As in the file.
    """

    name: str
    strategy: Strategy
    fixed: Parameters
    axes: Mapping[str, tuple[Any, ...]]
    sample: Sample
    costs: Costs
    evaluation: Evaluation

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values on each axis."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def size(self) -> int:
        """Number of combinations, those without meaning included."""
        return math.prod(self.shape)

    @property
    def trials(self) -> int:
        """Number of combinations that are evaluated at the most: the size, or the size of the random sample."""
        return min(self.size, self.evaluation.sample or self.size)

    def ranked_by(self, metric: str) -> "Grid":
        """Return the same trials, ranked by another metric.

        Raises
        ------
        GridError
            Nothing can be ranked by it.
        """
        if metric not in RANKING_METRICS:
            message = f"combinations cannot be ranked by {metric!r}: use one of {', '.join(RANKING_METRICS)}"
            raise GridError(message)
        return replace(self, evaluation=self.evaluation.model_copy(update={"metric": metric}))

    def hash(self) -> str:
        """Sixteen hexadecimal digits that name the trials, whatever they are ranked by."""
        content: dict[str, Any] = {
            "strategy": self.strategy.name,
            "fixed": self.fixed.model_dump(mode="json"),
            "axes": {name: list(values) for name, values in self.axes.items()},
            "sample": [str(self.sample.first), str(self.sample.last), self.sample.warmup],
            "costs": self.costs.model_dump(mode="json"),
        }
        if self.evaluation.sample is not None:
            content["drawn"] = [self.evaluation.sample, self.evaluation.seed]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def is_numeric_axis(values: Sequence[Any]) -> bool:
    """Tell an axis of numbers, on which one step has a meaning, from an axis of words or of yes and no."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def load_grid(path: Path) -> Grid:
    """Read and check a grid file.

    Raises
    ------
    GridError
        The file is absent, is not TOML, or holds a key or value that cannot be used; the message names both.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"cannot read the grid {path}: {str(reason).lower()}"
        raise GridError(message) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}"
        raise GridError(message) from None
    return parse_grid(content, name=path.stem, where=path.name)


def parse_grid(content: Mapping[str, Any], *, name: str = "grid", where: str = "the grid") -> Grid:
    """Check the content of a grid file; see `load_grid`."""
    _check_tables(content, where)
    given = dict(content["strategy"])
    strategy_name = given.pop("name", None)
    if not isinstance(strategy_name, str):
        message = f'[strategy] of {where} needs a name: add name = "pair"'
        raise GridError(message)
    strategy = find_strategy(strategy_name)
    axes = {key: _axis_values(value, f"{key} in [grid] of {where}") for key, value in content.get("grid", {}).items()}
    twice = [key for key in axes if key in given]
    if twice:
        message = f"{twice[0]} stands both in [strategy] and in [grid] of {where}: keep one"
        raise GridError(message)
    fixed = parse_parameters(strategy.parameters, given, where=f"[strategy] of {where}")
    axes = {key: _checked_axis(strategy, given, key, values, where) for key, values in axes.items()}
    sample = _parse_table(_SampleTable, content.get("sample", {}), "sample", where)
    if sample.first and sample.last and sample.first > sample.last:
        message = f"first = {sample.first} is after last = {sample.last} in [sample] of {where}: exchange them"
        raise GridError(message)
    return Grid(
        name=name,
        strategy=strategy,
        fixed=fixed,
        axes=axes,
        sample=Sample(sample.first, sample.last, sample.warmup),
        costs=_parse_table(Costs, content.get("costs", {}), "costs", where),
        evaluation=_parse_table(Evaluation, content.get("evaluate", {}), "evaluate", where),
    )


def grid_of_one(
    strategy: Strategy, values: Mapping[str, Any], *, sample: Sample, costs: Costs, where: str = "--set"
) -> Grid:
    """Return a grid with one combination: the strategy's defaults, and ``values`` in the place of some of them.

    Raises
    ------
    ParameterError
        A name is unknown or a value cannot be used.
    GridError
        The strategy excludes the combination.
    """
    fixed = parse_parameters(strategy.parameters, values, where=where)
    if strategy.feasible is not None:
        judged = {name: getattr(fixed, name) for name in depends_on(strategy.feasible)}
        if not strategy.feasible(**judged):
            shown = ", ".join(f"{name} = {value}" for name, value in judged.items())
            message = f"{strategy.name} has no meaning with {shown}: change one of them in {where}"
            raise GridError(message)
    return Grid(strategy.name, strategy, fixed, {}, sample, costs, Evaluation())


def _check_tables(content: Mapping[str, Any], where: str) -> None:
    known = ("strategy", "grid", "sample", "costs", "evaluate")
    for key, value in content.items():
        if key not in known:
            message = f"unknown table [{key}] in {where}: use {', '.join(f'[{name}]' for name in known)}"
            raise GridError(message)
        if not isinstance(value, dict):
            message = f"{key} in {where} must be a table: write [{key}] and its keys below it"
            raise GridError(message)
    if "strategy" not in content:
        message = f'{where} names no strategy: add [strategy] with name = "pair"'
        raise GridError(message)


def _axis_values(value: object, what: str) -> tuple[Any, ...]:
    """Values of one axis: a list as it stands, or start, stop and step with both ends."""
    if isinstance(value, list):
        _check_length(len(value), what)
        if not value:
            message = f"{what} is an empty list: give it at least one value, or leave it out for the default"
            raise GridError(message)
        return tuple(value)
    if isinstance(value, dict):
        return _range_values(value, what)
    message = f"{what} = {value!r} is not a list of values: write [{value!r}] or {{ start = …, stop = …, step = … }}"
    raise GridError(message)


def _range_values(value: Mapping[str, Any], what: str) -> tuple[Any, ...]:
    if set(value) != {"start", "stop", "step"} or not all(_is_number(part) for part in value.values()):
        message = f"{what} must be a list of values or {{ start, stop, step }} as three numbers, but is {dict(value)}"
        raise GridError(message)
    start, stop, step = (Decimal(str(value[key])) for key in ("start", "stop", "step"))
    if step == 0:
        message = f"{what} has step = 0: give the distance between two values"
        raise GridError(message)
    if (stop - start) * step < 0:
        message = f"{what} runs from {start} to {stop} in steps of {step}, which never arrives: exchange start and stop"
        raise GridError(message)
    steps = (stop - start) / step
    _check_length(steps + 1, what)
    if steps != steps.to_integral_value():
        nearest = start + step * int(steps)
        message = f"{what} does not reach stop = {stop} from {start} in steps of {step}: use stop = {nearest}"
        raise GridError(message)
    whole = all(isinstance(part, int) for part in value.values())
    values = (start + step * k for k in range(int(steps) + 1))
    return tuple(int(item) for item in values) if whole else tuple(float(item) for item in values)


def _check_length(values: int | Decimal, what: str) -> None:
    if values > LONGEST_AXIS:
        message = f"{what} has {values:,.0f} values, and one axis holds at most {LONGEST_AXIS:,}: take larger steps"
        raise GridError(message)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _checked_axis(
    strategy: Strategy, given: Mapping[str, Any], key: str, values: tuple[Any, ...], where: str
) -> tuple[Any, ...]:
    """Check every value of an axis as a parameter, and return them as the model reads them, numbers in order.

    Neighbours in the grid are neighbours on its axes: their order must not hang on how the file was written.
    """
    model = strategy.parameters
    place = f"[grid] of {where}"
    read = tuple(getattr(parse_parameters(model, {**given, key: value}, where=place), key) for value in values)
    if any(isinstance(value, BaseModel) for value in read):
        message = (
            f"{key} in {place} is a table and cannot be swept: give one in [strategy.{key}], each in a grid of its own"
        )
        raise GridError(message)
    if len({repr(value) for value in read}) < len(read):  # as the model reads them: 150 and 150.0 are one length
        message = f"{key} in {place} holds the same value twice: {list(values)}; each may stand there once"
        raise GridError(message)
    return _in_order(read) if is_numeric_axis(read) else read


def _in_order(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers that rise or fall as they stand, others ascending."""
    ascending = tuple(sorted(values))
    return values if values in (ascending, ascending[::-1]) else ascending


Table = TypeVar("Table", bound=BaseModel)


def _parse_table(model: type[Table], values: Mapping[str, Any], name: str, where: str) -> Table:
    unknown = [key for key in values if key not in model.model_fields]
    if unknown:
        message = f"unknown key {unknown[0]!r} in [{name}] of {where}: use {', '.join(model.model_fields)}"
        raise GridError(message)
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        message = (
            f"{first['loc'][0]} = {first['input']!r} in [{name}] of {where} cannot be used: {first['msg'].lower()}"
        )
        raise GridError(message) from None
