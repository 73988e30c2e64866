"""What the simulated market is made of: episodes, kinds of stress and round numbers, read from a TOML file.

The file ``configs/simulation.toml`` gives each number its unit and its reason; the models here give it a type and a
range.
"""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from parquet_store.errors import EngineError

__all__ = [
    "Bars",
    "Bitcoin",
    "Credit",
    "Episode",
    "Factor",
    "FactorName",
    "Fund",
    "Index",
    "Kind",
    "Listing",
    "Parameters",
    "Rates",
    "Split",
    "Unemployment",
    "Volatility",
    "load_parameters",
]

PARAMETERS_FILE = Path(__file__).resolve().parents[2] / "configs" / "simulation.toml"
"""The simulated market that the project ships."""

FactorName = Literal["market", "growth", "commodity", "financial", "defensive", "ten_year", "slope", "bitcoin"]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Episode(_Frozen):
    """A stretch of days on which the market behaves as its kind says, more or less severely."""

    name: str
    kind: str
    first: date
    last: date
    severity: Positive

    @model_validator(mode="after")
    def _runs_forward(self) -> "Episode":
        if self.last <= self.first:
            msg = f"episode '{self.name}' ends on {self.last}, not after its first day {self.first}"
            raise ValueError(msg)
        return self


class Kind(_Frozen):
    """What a kind of episode does to the market; see the file for units."""

    rise: Annotated[float, Field(gt=0, le=1)]
    build: Annotated[float, Field(gt=0, le=1)]
    fade: Positive
    waves: int = Field(ge=0)
    wave_depth: Fraction
    recovery: Fraction
    recovery_half_life: Positive
    volatility: float
    credit: float
    unemployment: float
    moves: dict[FactorName, float]


class Volatility(_Frozen):
    """How the VIX moves, and how realised volatility follows it."""

    floor: Positive
    scale: Positive
    span: Positive
    slow_deviation: Positive
    slow_half_life: Positive
    fast_half_life: Positive
    leverage: float
    size_effect: float
    largest_shock: Positive
    own_shock: Positive
    premium: Positive
    tail_degrees: float = Field(gt=2)
    reference_vix: Positive
    spread_of_turbulence: Fraction


class Factor(_Frozen):
    """A random walk with trend, pulled back to its trend line."""

    volatility: float = Field(ge=0)
    trend: float
    half_life: Positive


class Rates(_Frozen):
    """Where yields live."""

    ten_year: float
    slope: float
    market_link: float = Field(gt=-1, lt=1)
    bill_half_life: Positive
    floor_width: Positive


class Credit(_Frozen):
    """Levels of the spreads, and how they follow equities, volatility and each other."""

    high_yield: Positive
    investment_grade: Positive
    cdx: Positive
    baa: Positive
    equity_beta: float
    volatility_beta: float
    half_life: Positive
    own_shock: Positive
    marking_lag: Annotated[float, Field(ge=0, lt=1)]
    investment_grade_beta: float
    cdx_beta: float
    baa_beta: float
    basis_deviation: Positive
    basis_half_life: Positive


class Unemployment(_Frozen):
    """Where the unemployment rate lives, by month."""

    mean: Positive
    half_life: Positive
    own_shock: Positive


class Bars(_Frozen):
    """How a day's open, extremes and volume are made from closes."""

    overnight_share: Fraction
    open_noise: Positive
    wick: Positive
    memory: Positive
    volume_noise: Positive
    volume_half_life: Positive
    volume_response: float
    vix_move: Positive


class Bitcoin(_Frozen):
    """BTC-USD beyond its factor."""

    price: Positive
    market_beta: float
    stress_power: float
    volatility_deviation: Positive
    volatility_half_life: Positive
    volume: Positive


class Index(_Frozen):
    """The price index ^GSPC."""

    price: Positive
    noise: Positive
    volume: Positive


class Fund(_Frozen):
    """What the return of a fund is made of."""

    market: float = 0.0
    growth: float = 0.0
    commodity: float = 0.0
    financial: float = 0.0
    defensive: float = 0.0
    treasury: float = 0.0
    high_yield: float = 0.0
    investment_grade: float = 0.0
    own: float = Field(ge=0)
    income: Literal["none", "treasury", "high_yield", "investment_grade"] = "none"
    alpha: float = 0.0


class Listing(_Frozen):
    """How a fund is quoted, traded and what it pays."""

    price: Positive
    dividend: float = Field(ge=0, lt=0.2)
    payments: Literal[4, 12]
    volume: Positive


class Split(_Frozen):
    """A split: `ratio` new shares for one old share."""

    symbol: str
    date: date
    ratio: Positive


class Parameters(_Frozen):
    """The whole simulated market."""

    seed: int = Field(ge=0)
    origin: date
    pinning: Fraction
    own_half_life: Positive
    episodes: tuple[Episode, ...]
    kinds: dict[str, Kind]
    volatility: Volatility
    factors: dict[FactorName, Factor]
    rates: Rates
    credit: Credit
    unemployment: Unemployment
    bars: Bars
    bitcoin: Bitcoin
    index: Index
    funds: dict[str, Fund]
    listings: dict[str, Listing]
    splits: tuple[Split, ...]

    @model_validator(mode="after")
    def _names_agree(self) -> "Parameters":
        unknown = sorted({episode.kind for episode in self.episodes} - set(self.kinds))
        unknown += sorted({split.symbol for split in self.splits} - set(self.funds))
        unknown += sorted(set(self.funds) ^ set(self.listings))
        if unknown:
            msg = f"no kind, fund or listing is called {', '.join(unknown)}"
            raise ValueError(msg)
        early = [episode.name for episode in self.episodes if episode.first <= self.origin]
        if early:
            msg = f"episodes must begin after the origin {self.origin}: {', '.join(early)}"
            raise ValueError(msg)
        return self


def load_parameters(path: Path | None = None) -> Parameters:
    """Read the parameters of a simulated market; None means those the project ships.

    Raises
    ------
    EngineError
        If the file is absent or breaks the rules; the message names the key.
    """
    return _load(PARAMETERS_FILE if path is None else path)


@lru_cache(maxsize=8)
def _load(path: Path) -> Parameters:
    try:
        return Parameters.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"the simulation file {path} cannot be read: {error.strerror}"
        raise EngineError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = f"the simulation file {path} is not valid TOML: {error}"
        raise EngineError(msg) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"the simulation file {path} has a wrong entry at {where or 'the top'}: {first['msg']}"
        raise EngineError(msg) from error
