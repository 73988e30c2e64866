"""How closely the derived total returns agree with the adjusted closes that a file gives."""

import polars as pl

__all__ = ["adjusted_difference"]


def adjusted_difference(prices: pl.DataFrame, dividends: pl.DataFrame) -> pl.DataFrame:
    """Return the largest difference between derived and given adjusted returns.

    The derived return of a day is ``close / (previous close - dividend) - 1``, the given one the change of
    ``adj_close``.

    Parameters
    ----------
    prices
        ``symbol``, ``date``, ``close`` and ``adj_close``; rows without both closes are left out.
    dividends
        ``symbol``, ``date`` (ex-date) and ``value`` in USD a share. One whose ex-date has no close counts on the
        next day with one.

    Returns
    -------
    polars.DataFrame
        ``symbol`` and ``adjusted_difference`` (absolute, as a fraction), one row a symbol with two such rows,
        sorted by symbol.
    """
    given = (
        prices.drop_nulls(["close", "adj_close"]).sort("symbol", "date").select("symbol", "date", "close", "adj_close")
    )
    landed = dividends.sort("symbol", "date").join_asof(
        given.select("symbol", "date", pl.col("date").alias("session")),
        on="date",
        by="symbol",
        strategy="forward",
        check_sortedness=False,
    )
    paid = landed.group_by("symbol", "session").agg(pl.col("value").sum()).rename({"session": "date"})
    previous = pl.col("close", "adj_close").shift().over("symbol").name.prefix("previous_")
    returns = given.join(paid, on=["symbol", "date"], how="left").with_columns(previous)
    derived = pl.col("close") / (pl.col("previous_close") - pl.col("value").fill_null(0.0))
    difference = (derived - pl.col("adj_close") / pl.col("previous_adj_close")).abs()
    return returns.group_by("symbol").agg(difference.max().alias("adjusted_difference")).drop_nulls().sort("symbol")
