"""Whether the prices of a day agree with each other."""

import polars as pl

__all__ = ["out_of_order"]


def out_of_order() -> pl.Expr:
    """Return an expression that is true of a row with a price above its high or below its low; missing ones agree."""
    above = pl.max_horizontal("open", "low", "close") > pl.col("high")
    below = pl.min_horizontal("open", "close") < pl.col("low")
    return above.fill_null(value=False) | below.fill_null(value=False)
