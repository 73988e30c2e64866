"""What a strategy or a study may be told: parameters with a default, a documented range, unit, meaning and source."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from parquet_store.errors import EngineError

__all__ = [
    "Documentation",
    "ParameterError",
    "ParameterModel",
    "choices",
    "documentation",
    "parameter",
    "parse_assignments",
    "parse_parameters",
    "same_parameter",
]

LONGEST = {"sessions": 25_200, "calendar days": 36_600, "weeks": 5_200}
"""What a length is at the most, unless its field says otherwise: a century, longer than any history."""

KINDS: Mapping[Any, Any] = {bool: "true or false", int: "an integer", float: "a number"}

P = TypeVar("P", bound="ParameterModel")


class ParameterError(EngineError):
    """A parameter is unknown, or its value cannot be used."""


@dataclass(frozen=True)
class Documentation:
    """What is written about one parameter.

    Attributes
    ----------
    meaning
        One line, in the field's words.
    unit
        For example ``"sessions"`` or ``"fraction"``.
    source
        Document and section that the parameter, or its default, comes from.
    documented
        The two ends of the range that the document names, or the values it names; ``None`` where it names one value
        only.
    """

    meaning: str
    unit: str
    source: str
    documented: list[Any] | None = None


def parameter(
    default: Any,
    *,
    meaning: str,
    unit: str,
    source: str,
    documented: Sequence[Any] | None = None,
    **bounds: Any,
) -> Any:
    """Declare one field of a `ParameterModel`.

    Parameters
    ----------
    default
        The document's own value.
    meaning, unit, source, documented
        See `Documentation`.
    **bounds
        Pydantic's ``ge``, ``gt``, ``le``, ``lt``: what makes sense at all, which is wider than what is documented.
    """
    if unit in LONGEST:
        bounds.setdefault("le", LONGEST[unit])
    note = Documentation(meaning, unit, source, list(documented) if documented else None)
    return Field(default, json_schema_extra=asdict(note), **bounds)


class ParameterModel(BaseModel):
    """Base of everything that may be set: immutable, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what pydantic would turn into a number, or into yes and no: ``true``, ``"200"``, ``1``."""
        wanted = cls.model_fields[str(info.field_name)].annotation
        fits = isinstance(value, bool) == (wanted is bool) and isinstance(value, int | float)
        if wanted in KINDS and not fits:
            kind, message = "kind", f"{KINDS[wanted]} is wanted"
            raise PydanticCustomError(kind, message)
        return value


def same_parameter(model: type[ParameterModel], name: str) -> Any:
    """Declare a field that means what ``name`` means in ``model``, with its default, its bounds and what is written."""
    return copy(model.model_fields[name])


def documentation(model: type[ParameterModel], name: str) -> Documentation:
    """Return what is written about the parameter ``name`` of ``model``."""
    extra = model.model_fields[name].json_schema_extra
    if not isinstance(extra, dict):
        message = f"parameter {name} of {model.__name__} is undocumented: declare it with parameter(...)"
        raise TypeError(message)
    return Documentation(**extra)  # type: ignore[arg-type]  # written by parameter() above


def choices(model: type[ParameterModel], name: str) -> tuple[str, ...]:
    """Return the words a parameter may take, or nothing for a number."""
    return tuple(value for value in get_args(model.model_fields[name].annotation) if isinstance(value, str))


def parse_parameters(model: type[P], values: Mapping[str, Any], *, where: str) -> P:
    """Check ``values`` against ``model``.

    Parameters
    ----------
    values
        Parameter names and values; what is left out takes its default.
    where
        Where the values were given, for the message: ``"[strategy] of pair.toml"``.

    Raises
    ------
    ParameterError
        One sentence that names the key, the value and the remedy.
    """
    unknown = [name for name in values if name not in model.model_fields]
    if unknown:
        message = f"unknown parameter {unknown[0]!r} in {where}: use one of {', '.join(model.model_fields)}"
        raise ParameterError(message)
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "parameters"
        message = f"{name} = {first['input']!r} in {where} cannot be used: {first['msg'].lower()}"
        raise ParameterError(message) from None


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``name=value`` as people type it: a value is written as in a grid file, a word also without its quotes.

    Raises
    ------
    ParameterError
        A text has no ``=``, or names a parameter a second time.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, written = (part.strip() for part in text.partition("="))
        if not name or not equals or not written:
            message = f"{text!r} sets nothing: write {name or 'parameter'}=value"
            raise ParameterError(message)
        if name in values:
            message = f"{name} is set twice, to {values[name]!r} and to {written}: keep one"
            raise ParameterError(message)
        values[name] = _toml_value(written)
    return values


def _toml_value(written: str) -> Any:
    """Read a value of a grid file; what is none is a word."""
    try:
        read = tomllib.loads(f"value = {written}")
    except tomllib.TOMLDecodeError:
        return written
    return read["value"] if read.keys() == {"value"} else written
