"""Rules on the values of a row, whoever brings it: within the bounds of its series, prices within their day's range."""

import polars as pl

from parquet_store.schema import MAIN_VALUE
from parquet_store.universe import SeriesSpec

__all__ = ["out_of_order", "outside_bounds"]


def out_of_order() -> pl.Expr:
    """Return an expression that is true of a row with a price above its high or below its low; missing ones agree."""
    above = pl.max_horizontal("open", "low", "close") > pl.col("high")
    below = pl.min_horizontal("open", "close") < pl.col("low")
    return above.fill_null(value=False) | below.fill_null(value=False)


def outside_bounds(spec: SeriesSpec) -> tuple[pl.Expr, str] | None:
    """Return an expression that is true of a row of a series outside its bounds, and why; None if it has no bounds."""
    if spec.plausible is None:
        return None
    low, high = spec.plausible
    return ~pl.col(MAIN_VALUE[spec.table]).is_between(low, high), f"the value is outside {low:g} to {high:g}"
