"""The series that a store holds, with the rules by which they are aligned."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from parquet_store import SeriesSpec, Universe

__all__ = ["HeldSeries", "as_json", "held_series"]


@dataclass(frozen=True)
class HeldSeries:
    """One series of the store; the fields are the columns of the view ``series``.

    Attributes
    ----------
    series, kind, title, unit, calendar, known, carry
        As in `parquet_store.SeriesSpec`; `unit` and `known` are None for a series that the universe does not name.
    """

    series: str
    kind: Literal["price", "macro"]
    title: str
    unit: str | None
    calendar: str
    known: str | None
    carry: str


def held_series(universe: Universe, prices: Iterable[str], macro: Iterable[str]) -> list[HeldSeries]:
    """Return the series of the universe in its order, then the others by name.

    A name stands for one series: where both tables hold the same name, the price counts. A price that the universe does
    not name is taken to trade on the exchange's calendar, any other such series to have a value every business day.

    Parameters
    ----------
    universe
        The known series.
    prices, macro
        The names in the two tables.
    """
    kinds: dict[str, Literal["price", "macro"]] = {**dict.fromkeys(macro, "macro"), **dict.fromkeys(prices, "price")}
    known = [_from_universe(spec) for spec in universe.series if kinds.get(spec.name) == spec.kind]
    others = sorted(kinds.keys() - {held.series for held in known})
    return [*known, *(_outside_universe(name, kinds[name]) for name in others)]


def as_json(held: Iterable[HeldSeries]) -> str:
    """Return the series as a JSON list of objects."""
    return json.dumps([asdict(each) for each in held])


def _from_universe(spec: SeriesSpec) -> HeldSeries:
    return HeldSeries(spec.name, spec.kind, spec.title, spec.unit, spec.calendar, spec.known, spec.carry)


def _outside_universe(name: str, kind: Literal["price", "macro"]) -> HeldSeries:
    if kind == "price":
        return HeldSeries(name, kind, name, None, calendar="nyse", known=None, carry="none")
    return HeldSeries(name, kind, name, None, calendar="bond", known=None, carry="week")
