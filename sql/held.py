"""The series that a store holds, with the rules by which they are aligned."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from parquet_store import SeriesSpec, Universe

__all__ = ["HeldSeries", "columns_of", "held_series"]


@dataclass(frozen=True)
class HeldSeries:
    """One series of the store; the fields are the columns of the view ``series``.

    Attributes
    ----------
    series, kind, title, unit, calendar, known, carry
        As in `parquet_store.SeriesSpec`; `unit` and `known` are empty for a series that the universe does not name.
    """

    series: str
    kind: Literal["price", "macro"]
    title: str
    unit: str
    calendar: str
    known: str
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


def columns_of(held: Iterable[HeldSeries]) -> dict[str, list[str]]:
    """Return the fields as columns."""
    rows = list(held)
    return {field.name: [getattr(row, field.name) for row in rows] for field in fields(HeldSeries)}


def _from_universe(spec: SeriesSpec) -> HeldSeries:
    return HeldSeries(spec.name, spec.kind, spec.title, spec.unit, spec.calendar, spec.known, spec.carry)


def _outside_universe(name: str, kind: Literal["price", "macro"]) -> HeldSeries:
    if kind == "price":
        return HeldSeries(name, kind, name, "", calendar="nyse", known="", carry="none")
    return HeldSeries(name, kind, name, "", calendar="bond", known="", carry="week")
