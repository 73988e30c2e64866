"""Checks on the rows of an answer: their order, their days and their values, each by itself."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from parquet_store.calendar import EARLIEST, known_at
from parquet_store.inventory import expected_days
from parquet_store.schema import MAIN_VALUE
from parquet_store.sources import WrongAnswer
from parquet_store.sources.interface import REJECTED_ROWS
from parquet_store.sources.tables import as_json
from parquet_store.universe import SeriesSpec
from parquet_store.value_rules import outside_bounds

__all__ = ["believable", "finished", "in_order", "rejected_rows", "split_off"]

_SETTLING = timedelta(minutes=15)
"""How long after its close a bar still changes: the auction's prints come in late."""


def in_order(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, ...]]:
    """Return rows with rising and unique days, those whose day has two values, and what was peculiar.

    Raises
    ------
    WrongAnswer
        If the days do not rise: what else has changed cannot be known then.
    """
    if not rows["date"].is_sorted():
        msg = "the days of the answer do not rise"
        raise WrongAnswer(msg)
    once = rows.unique(maintain_order=True)
    repeated = rows.height - once.height
    notes = (f"{repeated} rows came twice; one of each was kept",) if repeated else ()
    twofold = pl.col("date").is_duplicated()
    contradictory = rejected_rows(once.filter(twofold), "the day has two different rows")
    return once.filter(~twofold), contradictory, notes


def finished(spec: SeriesSpec, rows: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return rows without the bars whose day has not closed at a moment, and what was left out.

    Rows without main value are left out without a word: that is how providers mark a day without one.
    """
    valued = rows.drop_nulls(MAIN_VALUE[spec.table])
    inside = valued.filter(pl.col("date") >= EARLIEST)
    if spec.table != "prices" or inside.is_empty():
        return inside, ()
    closed = known_at(spec, inside["date"]) <= now - _SETTLING
    unfinished = inside.filter(~closed)["date"].to_list()
    notes = (f"the bar of {unfinished[0]} is not finished and was left out",) if unfinished else ()
    return inside.filter(closed), notes


def believable(spec: SeriesSpec, rows: pl.DataFrame, today: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that can be true of a series by themselves, and the others with the reason."""
    rules: list[tuple[pl.Expr, str]] = [
        (pl.col("date") > today, "the day is in the future"),
        (~_on_calendar(spec, rows), f"the day is not one of the {spec.calendar} calendar"),
    ]
    if spec.table == "prices":
        bars = ("open", "high", "low", "close")
        rules.append((pl.any_horizontal(pl.col(name) <= 0 for name in bars), "a price is not above zero"))
        rules.append((pl.col("high") < pl.col("low"), "the high is below the low"))
        rules.append((pl.col("volume") < 0, "the volume is negative"))
    if bounds := outside_bounds(spec):
        rules.append(bounds)
    return split_off(rows, rules)


def split_off(rows: pl.DataFrame, rules: Sequence[tuple[pl.Expr, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that break no rule, and the others with the reason of the first rule they break."""
    kept, rejected = rows, [pl.DataFrame(schema=dict(REJECTED_ROWS))]
    for broken, reason in rules:
        wrong = kept.select(broken.fill_null(value=False).alias("wrong")).to_series()
        if wrong.any():
            rejected.append(rejected_rows(kept.filter(wrong), reason))
            kept = kept.filter(~wrong)
    return kept, pl.concat(rejected)


def rejected_rows(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Return rows as those of the quarantine: day, all values as JSON, reason."""
    return pl.DataFrame([rows["date"], as_json(rows)]).with_columns(pl.lit(reason).alias("reason"))


def _on_calendar(spec: SeriesSpec, rows: pl.DataFrame) -> pl.Expr:
    """Say of each row whether its day is one on which the series may have a value."""
    day = pl.col("date")
    if rows.is_empty() or spec.calendar == "daily":
        return pl.lit(value=True)
    if spec.calendar == "monthly":
        return day.dt.day() == 1
    match spec.other_days:
        case "weekdays":
            return day.dt.weekday() <= 5
        case "month_ends":
            return (day.dt.weekday() <= 5) | (day == day.dt.month_end())
        case "none":
            days = rows["date"].sort()
            return day.is_in(expected_days(spec.calendar, days[0], days[-1]).implode())
