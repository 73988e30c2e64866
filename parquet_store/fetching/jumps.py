"""Jumps: a move too large for the series is held until a second answer, or the next day, confirms it."""

import polars as pl

from parquet_store.fetching.confirmation import JUMP
from parquet_store.schema import MAIN_VALUE
from parquet_store.universe import SeriesSpec

__all__ = ["DEVIATIONS", "jumps"]

DEVIATIONS = 12.0
"""How many deviations of its last 250 moves a move may have. The falls of October 1987 and of March 2020 have more."""

_WINDOW = 250
_ENOUGH = 60
_MAD_TO_DEVIATION = 1.4826


def jumps(spec: SeriesSpec, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return the days of an answer whose values jump, and the reason.

    A move is one of the logarithm for prices and indices, else of the value. It jumps if it is larger than
    `DEVIATIONS` of the 250 moves before it (the larger of their sample deviation and 1.4826 times their median size),
    and the next value, where there is one, is back at least half the way. A value that is held with another is
    measured against that one too. With fewer than 60 moves nothing is measured.

    Parameters
    ----------
    rows
        The rows of the answer, by date.
    held
        The rows held, on the same base for splits.

    Returns
    -------
    polars.DataFrame
        ``date`` and ``reason``.
    """
    value = MAIN_VALUE[spec.table]
    merged = _merged(rows, held, value)
    fresh = merged.filter(_is_news())
    if fresh.is_empty():
        return fresh.select("date", pl.lit(JUMP).alias("reason"))
    before = merged.filter(pl.col("date") < fresh["date"][0]).tail(_WINDOW + 1)
    scale = "log" if spec.table == "prices" or spec.unit == "index" else "value"
    measured = _measured(pl.concat([before, merged.filter(pl.col("date") >= fresh["date"][0])]), scale)
    reason = pl.format(f"{JUMP}: {{}} after {{}}, more than {DEVIATIONS:g} deviations", "value", "compared")
    return measured.filter(_is_news() & pl.col("jumps")).select("date", reason.alias("reason"))


def _merged(rows: pl.DataFrame, held: pl.DataFrame, value: str) -> pl.DataFrame:
    """Return every day with its value: the answer's, else the one held; ``held`` and whether it is in the answer."""
    ours = held.select("date", pl.col(value).alias("held"))
    theirs = rows.select("date", pl.col(value).alias("value"), pl.lit(value=True).alias("answered"))
    both = ours.join(theirs, on="date", how="full", coalesce=True).sort("date")
    return both.with_columns(pl.coalesce("value", "held"), pl.col("answered").fill_null(value=False))


def _is_news() -> pl.Expr:
    return pl.col("answered") & pl.col("value").ne_missing(pl.col("held"))


def _measured(merged: pl.DataFrame, scale: str) -> pl.DataFrame:
    def scaled(name: str) -> pl.Expr:
        return pl.col(name).log() if scale == "log" else pl.col(name)

    move = scaled("value") - scaled("value").shift(1)
    sized = merged.with_columns(
        move.alias("move"),
        (scaled("value").shift(-1) - scaled("value").shift(1)).alias("two_days"),
        (scaled("value") - scaled("held")).alias("revision"),
        pl.col("value").shift(1).alias("previous"),
    )
    earlier = pl.col("move").shift(1)
    deviation = pl.max_horizontal(
        earlier.rolling_std(_WINDOW, min_samples=_ENOUGH),
        _MAD_TO_DEVIATION * earlier.abs().rolling_median(_WINDOW, min_samples=_ENOUGH),
    )
    limit = DEVIATIONS * deviation
    stays = pl.col("two_days") * pl.col("move").sign() >= 0.5 * pl.col("move").abs()
    alone = (pl.col("move").abs() > limit) & ~stays.fill_null(value=False)
    # The way back from a spike is no jump of its own.
    back = alone.shift(1) & ((scaled("value") - scaled("value").shift(2)).abs() <= limit)
    leaps = alone & ~back.fill_null(value=False)
    revised = (pl.col("revision").abs() > limit).fill_null(value=False)
    compared = pl.when(revised).then(pl.col("held")).otherwise(pl.col("previous"))
    jumping = (leaps | revised) & (limit > 0)
    return sized.with_columns(jumping.fill_null(value=False).alias("jumps"), compared.alias("compared"))
