"""Episodes that studies look at one by one: data, read from ``configs/periods.toml`` or a file like it."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.studies.errors import StudyError

__all__ = ["PERIODS_FILE", "Period", "load_periods", "within_any"]

PERIODS_FILE = Path(__file__).resolve().parents[2] / "configs" / "periods.toml"


@dataclass(frozen=True)
class Period:
    """One episode.

    Attributes
    ----------
    name, title
        ``name`` is part of the ids of figures.
    first, last
        Calendar days, both included.
    stress
        Whether it is an episode of stress; another one only lends its name to what happens in it.
    """

    name: str
    title: str
    first: date
    last: date
    stress: bool = True

    def covers(self, dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Tell which of some days lie in the period."""
        inside: NDArray[np.bool_] = (dates >= np.datetime64(self.first)) & (dates <= np.datetime64(self.last))
        return inside


def within_any(periods: tuple[Period, ...], dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Tell which of some days lie in one of the periods or more."""
    inside = np.zeros(len(dates), np.bool_)
    for period in periods:
        inside |= period.covers(dates)
    return inside


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    first: date
    last: date
    stress: bool = True


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    period: list[_Row] = Field(min_length=1)


def load_periods(path: Path = PERIODS_FILE) -> tuple[Period, ...]:
    """Read a file of periods, in its order.

    Raises
    ------
    StudyError
        The file cannot be read, a period lacks something or ends before it begins, or a name is used twice.
    """
    try:
        rows = _File(**tomllib.loads(path.read_text(encoding="utf-8"))).period
    except OSError as error:
        message = f"cannot read the periods in {path}: {error.strerror}"
        raise StudyError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not a TOML file: {error}"
        raise StudyError(message) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where} in {path} cannot be used: {first['msg'].lower()}; a [[period]] has name, title, first, last"
        raise StudyError(message) from None
    periods = tuple(Period(**row.model_dump()) for row in rows)
    for number, period in enumerate(periods):
        if period.last < period.first:
            message = f"period {period.name} in {path} ends on {period.last}, before it begins on {period.first}"
            raise StudyError(message)
        if any(period.name == other.name for other in periods[:number]):
            message = f"{path} has two periods called {period.name}: rename one"
            raise StudyError(message)
    return periods
