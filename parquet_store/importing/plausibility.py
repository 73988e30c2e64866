"""What of an import can be true: values within the bounds of their series, prices within their day's high and low."""

from collections.abc import Iterator

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.importing.raw import FILE, LINE, import_error, place
from parquet_store.quarantine import REASON, not_confirmed, not_yet_held, quarantine_rows
from parquet_store.schema import MAIN_VALUE, SCHEMAS
from parquet_store.store import Store, read_manifest
from parquet_store.universe import SeriesSpec, Universe
from parquet_store.value_rules import out_of_order, outside_bounds

__all__ = ["order_notes", "split_by_bounds"]

_TOO_MANY = 0.1


def split_by_bounds(
    store: Store, table: str, rows: pl.DataFrame, universe: Universe
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Return the rows within the bounds of their series, quarantine rows for the others, and what to tell the user.

    Only series of the universe have bounds. A value that a person released from the quarantine is let in.

    Parameters
    ----------
    rows
        Rows of a table in the units of the store, with their places in the files.

    Raises
    ------
    EngineError
        If more than a tenth of a series' values lie outside: they are in another unit, or of another series.
    """
    manifest = read_manifest(store)
    held, notes = [], []
    for spec, count, outside in _with_values_outside(table, rows, universe):
        wrong = not_confirmed(store, manifest, table, outside)
        if wrong.is_empty():
            continue
        if wrong.height > _TOO_MANY * count:
            raise _mostly_outside(table, spec, wrong, count)
        held.append(wrong)
        first = wrong.row(0, named=True)
        notes.append(
            f"{wrong.height} values of {spec.name} lie outside {_bounds(spec)} and were put into quarantine, the first "
            f"on {first['date']}; see `engine data release` if they are right"
        )
    if not held:
        return rows, pl.DataFrame(schema=dict(SCHEMAS["quarantine"].columns)).drop("seen_at"), []
    kept_out = pl.concat(held)
    quarantine = not_yet_held(store, manifest, quarantine_rows(SCHEMAS[table], kept_out))
    kept = rows.join(kept_out.select(SCHEMAS[table].key), on=SCHEMAS[table].key, how="anti", maintain_order="left")
    return kept, quarantine, notes


def order_notes(prices: pl.DataFrame) -> list[str]:
    """Say of each symbol how many of its rows have a price above their high or below their low."""
    disordered = prices.filter(out_of_order()).group_by("symbol", maintain_order=True)
    counted = disordered.agg(pl.len().alias("rows"), pl.col("date").min())
    return [
        f"{rows} rows of {symbol} have a price above their high or below their low, the first on {first}; they came "
        "in, since the close may be right"
        for symbol, rows, first in counted.rows()
    ]


def _with_values_outside(
    table: str, rows: pl.DataFrame, universe: Universe
) -> Iterator[tuple[SeriesSpec, int, pl.DataFrame]]:
    """Yield each series that has bounds, the number of its rows, and those outside, with the reason."""
    for (name,), of_series in rows.group_by([SCHEMAS[table].key[0]], maintain_order=True):
        spec = universe.find(str(name))
        bounds = outside_bounds(spec) if spec is not None and spec.table == table else None
        if spec is not None and bounds is not None:
            outside, reason = bounds
            yield spec, of_series.height, of_series.filter(outside).with_columns(pl.lit(reason).alias(REASON))


def _bounds(spec: SeriesSpec) -> str:
    low, high = spec.plausible or (float("-inf"), float("inf"))
    return f"{low:g} to {high:g} {spec.unit}"


def _mostly_outside(table: str, spec: SeriesSpec, wrong: pl.DataFrame, of: int) -> EngineError:
    first = wrong.row(0, named=True)
    remedy = "say in which unit the file is with --unit" if table == "macro" else "is it another series?"
    return import_error(
        place(first[FILE], first[LINE]),
        f"{spec.name} {first['date']}: {wrong.height} of {of} values lie outside {_bounds(spec)}, this one with "
        f"{first[MAIN_VALUE[table]]:g}; {remedy}",
    )
