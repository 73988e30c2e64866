"""What makes a bar a bad one."""

import polars as pl

__all__ = ["bar_fault"]

_PRICES = ("open", "high", "low", "close")


def bar_fault() -> pl.Expr:
    """Return an expression that says in words what is wrong with a bar; null where nothing is.

    A bar needs a symbol, a moment and four prices, finite and above zero, with no other above the high or below the
    low. Its volume, where there is one, is finite and not negative.
    """
    missing = pl.any_horizontal(pl.col(name).is_null() for name in ("symbol", "moment", *_PRICES))
    not_positive = pl.any_horizontal((pl.col(name) <= 0) | ~pl.col(name).is_finite() for name in _PRICES)
    return (
        pl.when(missing)
        .then(pl.lit("the symbol, the moment or a price is missing"))
        .when(not_positive)
        .then(pl.lit("a price is not a finite number above zero"))
        .when(pl.max_horizontal("open", "low", "close") > pl.col("high"))
        .then(pl.lit("the high is below another price"))
        .when(pl.min_horizontal("open", "close") < pl.col("low"))
        .then(pl.lit("the low is above another price"))
        .when((pl.col("volume") < 0) | ~pl.col("volume").is_finite())
        .then(pl.lit("the volume is negative or not finite"))
    )
