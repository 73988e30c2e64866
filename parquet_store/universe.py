"""The universe: every series the research uses, with its source, unit, calendar and the moment it becomes known."""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from parquet_store.errors import EngineError

__all__ = [
    "UNIVERSE_FILE",
    "Basis",
    "Calendar",
    "Carry",
    "Known",
    "OtherDays",
    "SeriesSpec",
    "Universe",
    "load_universe",
    "name_fault",
]

UNIVERSE_FILE = Path(__file__).resolve().parents[1] / "configs" / "universe.toml"
"""The universe that the project ships."""

Calendar = Literal["nyse", "bond", "daily", "monthly"]
Known = Literal["session_close", "next_session_morning", "month_end", "first_friday_next_month", "next_midnight_utc"]
Carry = Literal["none", "week", "month"]
Basis = Literal["split_adjusted", "dividend_adjusted", "index"]
OtherDays = Literal["none", "weekdays", "month_ends"]


def name_fault(name: str) -> str | None:
    """Say in words why a series cannot have a name; None where it can.

    A name becomes a column of the panel beside ``date``, and a suffix after ``@`` says as of when it is read.
    """
    if not name.strip():
        return "it is empty"
    if name != name.strip() or not name.isprintable():
        return "it begins or ends with a space, or holds a line break or another character that cannot be printed"
    if "@" in name:
        return "it holds @, which stands before the moment as of which a series is read, as in BAA@next_morning"
    return "the panel's days have this name" if name.lower() == "date" else None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeriesSpec(_Frozen):
    """One series.

    Attributes
    ----------
    name
        The name under which the store holds it.
    kind
        ``price`` (table prices) or ``macro`` (table macro).
    title
        What it is, in words.
    source
        Where it comes from.
    symbol
        The provider's name for it.
    aliases
        Other names under which files bear it.
    unit
        The unit in which the store holds it: ``usd``, ``percent``, ``basis_points``, ``index``.
    calendar
        The days on which it has values: sessions of the NYSE, those of them on which the bond market is open, every
        day, or the first of each month.
    known
        The rule by which a dated value becomes known; see `parquet_store.known_at`.
    carry
        How far a value may stand in for a later session without one: not at all, within its week, or for its month.
    other_days
        The days beside those of its calendar on which it may have rows: none, any weekday, or any weekday and the
        last day of a month.
    starts
        The first day of its history as far as the provider has ever shown it; a later beginning is looked after.
    plausible
        The lowest and the highest believable value, in its unit.
    stale_after_days
        Calendar days after which the newest value is called stale.
    basis
        For prices: what the close has been adjusted for.
    proxies
        Series that may stand in for it, with lower confidence.
    note
        What a reader should know.
    """

    name: str
    kind: Literal["price", "macro"]
    title: str
    source: str
    symbol: str
    aliases: tuple[str, ...] = ()
    unit: str
    calendar: Calendar
    known: Known
    carry: Carry = "none"
    stale_after_days: int = Field(gt=0)
    other_days: OtherDays = "none"
    starts: date | None = None
    plausible: tuple[float, float] | None = None
    basis: Basis | None = None
    proxies: tuple[str, ...] = ()
    note: str = ""

    @property
    def table(self) -> str:
        """The table of the store that holds the series."""
        return "prices" if self.kind == "price" else "macro"

    @field_validator("name")
    @classmethod
    def _name_can_be_used(cls, name: str) -> str:
        fault = name_fault(name)
        if fault is not None:
            msg = f"a series cannot be called {name!r}: {fault}"
            raise ValueError(msg)
        return name

    @model_validator(mode="after")
    def _prices_have_a_basis(self) -> "SeriesSpec":
        if (self.kind == "price") != (self.basis is not None):
            msg = f"series '{self.name}': a price needs a basis, and only a price has one"
            raise ValueError(msg)
        return self


class Universe(_Frozen):
    """All series, in the order of the file."""

    series: tuple[SeriesSpec, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Universe":
        taken: set[str] = set()
        for spec in self.series:
            for name in {spec.name, spec.symbol, *spec.aliases}:
                if name in taken:
                    msg = f"the name '{name}' stands for two series"
                    raise ValueError(msg)
                taken.add(name)
        unknown = {proxy for spec in self.series for proxy in spec.proxies} - {spec.name for spec in self.series}
        if unknown:
            msg = f"proxies that are not series: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all series."""
        return tuple(spec.name for spec in self.series)

    def find(self, name: str) -> SeriesSpec | None:
        """Return the series of this name, provider's symbol or alias; None where there is none."""
        return next((spec for spec in self.series if name in (spec.name, spec.symbol, *spec.aliases)), None)

    def __getitem__(self, name: str) -> SeriesSpec:
        """Return the series of this name, provider's symbol or alias.

        Raises
        ------
        EngineError
            If there is none.
        """
        spec = self.find(name)
        if spec is None:
            msg = f"there is no series '{name}' in the universe; it has {', '.join(self.names)}"
            raise EngineError(msg)
        return spec


def load_universe(path: Path | None = None) -> Universe:
    """Read a universe file; None means the one the project ships.

    Raises
    ------
    EngineError
        If the file is absent or breaks the rules; the message names the key.
    """
    return _load(UNIVERSE_FILE if path is None else path)


@lru_cache(maxsize=8)
def _load(path: Path) -> Universe:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return Universe.model_validate(document)
    except OSError as error:
        msg = f"the universe file {path} cannot be read: {error.strerror}"
        raise EngineError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = f"the universe file {path} is not valid TOML: {error}"
        raise EngineError(msg) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"the universe file {path} has a wrong entry at {where or 'the top'}: {first['msg']}"
        raise EngineError(msg) from error
