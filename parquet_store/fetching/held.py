"""What the store holds of the series that are fetched: the ground on which new answers are judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from parquet_store.manifest import Manifest
from parquet_store.reader import scan
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store
from parquet_store.universe import SeriesSpec

__all__ = ["Held", "empty_rows", "held_of_none", "load_held", "nothing_held"]


@dataclass(frozen=True)
class Held:
    """What is held of one series.

    Attributes
    ----------
    rows
        Its rows of prices or macro, by date.
    actions
        Its dividends and splits.
    quarantined
        Its rows in quarantine.
    """

    rows: pl.DataFrame
    actions: pl.DataFrame
    quarantined: pl.DataFrame

    @property
    def first(self) -> date | None:
        """The first day held."""
        return self.rows["date"][0] if self.rows.height else None

    @property
    def last(self) -> date | None:
        """The last day held."""
        return self.rows["date"][-1] if self.rows.height else None


@cache
def empty_rows(table: str) -> pl.DataFrame:
    """Return no rows of a table."""
    return pl.DataFrame(schema=dict(SCHEMAS[table].columns))


def nothing_held(spec: SeriesSpec) -> Held:
    """Return what is held of a series that is new."""
    return Held(empty_rows(spec.table), empty_rows("actions"), empty_rows("quarantine"))


def held_of_none(specs: Iterable[SeriesSpec]) -> dict[str, Held]:
    """Return what an empty store holds of some series, by name."""
    return {spec.name: nothing_held(spec) for spec in specs}


def load_held(store: Store, specs: Iterable[SeriesSpec], manifest: Manifest) -> dict[str, Held]:
    """Return what a store holds of some series, by name."""
    chosen = list(specs)
    names = [spec.name for spec in chosen]
    tables: Mapping[str, dict[str, pl.DataFrame]] = {
        table: _by_series(
            scan(store, table, series=names, manifest=manifest).collect(engine="in-memory"), SCHEMAS[table].key[0]
        )
        for table in ("prices", "macro", "actions")
    }
    quarantine = scan(store, "quarantine", manifest=manifest).collect(engine="in-memory")
    quarantined = _by_series(quarantine.filter(pl.col("series").is_in(names)), "series")
    return {
        spec.name: Held(
            tables[spec.table].get(spec.name, empty_rows(spec.table)),
            tables["actions"].get(spec.name, empty_rows("actions")),
            quarantined.get(spec.name, empty_rows("quarantine")),
        )
        for spec in chosen
    }


def _by_series(rows: pl.DataFrame, column: str) -> dict[str, pl.DataFrame]:
    return {str(name): part for (name,), part in rows.partition_by(column, as_dict=True, maintain_order=True).items()}
