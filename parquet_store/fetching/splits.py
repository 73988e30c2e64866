"""A new split: the provider has divided its whole history by the ratio, and the store must follow in one step.

Rows are held split-adjusted as of the moment they were seen. When a split is announced, every earlier row is written
again on the new base, with the moment of the fetch as its ``seen_at``: a read as of before sees the old base and no
split, a read as of later sees the new base throughout, and neither sees a step. Whether the rows held stand before or
behind a split is not assumed but measured, on days that both the store and the answer have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from parquet_store.fetching.held import Held
from parquet_store.sources import WrongAnswer

__all__ = ["Rebased", "follow_splits"]

_PRICES = ("open", "high", "low", "close")
_TOLERANCE = 0.02
_CONSTANT = 0.005
_SHOULD_DIFFER = 0.02
_DAYS_MEASURED = 10


@dataclass(frozen=True)
class Rebased:
    """What is held, on the base of an answer.

    Attributes
    ----------
    rows, actions
        All rows held; those before a new split are changed, the others as they were.
    changed_before
        The day before which rows have changed; None where nothing has.
    notes
        What was done, for the report.
    """

    rows: pl.DataFrame
    actions: pl.DataFrame
    changed_before: date | None
    notes: tuple[str, ...]


def follow_splits(held: Held, rows: pl.DataFrame, splits: pl.DataFrame) -> Rebased:
    """Return what is held on the base of an answer's prices.

    Parameters
    ----------
    held
        Prices and actions held.
    rows
        The answer's prices, by date.
    splits
        The answer's splits: ``date`` and ``value``, new shares for one old.

    Raises
    ------
    WrongAnswer
        If the prices of the answer are on another base than the splits announce, or that cannot be told.
    """
    both = held.rows.select("date", pl.col("close").alias("held")).join(rows.select("date", "close"), on="date")
    quotient = both.sort("date").select("date", (pl.col("held") / pl.col("close")).alias("quotient"))
    applied = _applied(held, quotient, _new_splits(held, splits))
    factor = _factor(applied)
    rebased = quotient.with_columns(pl.col("quotient") / factor)
    whole = bool(rows.height) and held.first is not None and rows["date"][0] <= held.first
    _refuse_another_base(rebased, whole=whole)
    if not applied:
        return Rebased(held.rows, held.actions, None, ())
    latest = max(day for day, _ in applied)
    earlier = held.rows.filter(pl.col("date") < latest).height
    notes = tuple(f"split {ratio:g} for 1 on {day}: {earlier} earlier rows were rescaled" for day, ratio in applied)
    prices = held.rows.with_columns(*(pl.col(name) / factor for name in _PRICES), pl.col("volume") * factor)
    is_dividend = pl.col("kind") == "dividend"
    value = pl.when(is_dividend).then(pl.col("value") / factor).otherwise(pl.col("value"))
    return Rebased(prices, held.actions.with_columns(value.alias("value")), latest, notes)


def _new_splits(held: Held, splits: pl.DataFrame) -> list[tuple[date, float]]:
    """Return the splits that are not held and lie behind a row that is, the latest first."""
    known = held.actions.filter(pl.col("kind") == "split").select("date", pl.col("value").alias("known"))
    compared = splits.join(known, on="date", how="left").sort("date", descending=True)
    changed = compared.filter((pl.col("known") / pl.col("value") - 1.0).abs() > _TOLERANCE)
    if changed.height:
        day, ratio, before = changed.select("date", "value", "known").row(0)
        msg = f"the split of {day} is held as {before:g} for 1 and came as {ratio:g} for 1; correct it by an import"
        raise WrongAnswer(msg)
    new = compared.filter(pl.col("known").is_null()).select("date", "value").rows()
    return [(day, ratio) for day, ratio in new if held.first is not None and held.first < day]


def _applied(held: Held, quotient: pl.DataFrame, new: Iterable[tuple[date, float]]) -> list[tuple[date, float]]:
    """Return those of the new splits that the rows held do not know yet."""
    applied: list[tuple[date, float]] = []
    for day, ratio in new:
        later = 1.0
        for _, other in applied:
            later *= other
        before = quotient.filter(pl.col("date") < day).tail(_DAYS_MEASURED)["quotient"].median()
        if not isinstance(before, float):
            if held.last is not None and held.last < day:
                applied.append((day, ratio))  # what is held was seen before the split
                continue
            msg = f"a split of {ratio:g} for 1 on {day} is new, and no day before it came with it; use --refresh"
            raise WrongAnswer(msg)
        if_new, if_known = abs(before / (later * ratio) - 1.0), abs(before / later - 1.0)
        if min(if_new, if_known) > _TOLERANCE:
            msg = (
                f"a split of {ratio:g} for 1 on {day} is announced, and the closes before it are those held "
                f"divided by {before:.6g}"
            )
            raise WrongAnswer(msg)
        if if_new < if_known:
            applied.append((day, ratio))
    return applied


def _factor(applied: Iterable[tuple[date, float]]) -> pl.Expr:
    """Return by what each row's price is divided: the ratios of the splits after it."""
    factor = pl.lit(1.0)
    for day, ratio in applied:
        factor *= pl.when(pl.col("date") < day).then(ratio).otherwise(1.0)
    return factor


def _refuse_another_base(quotient: pl.DataFrame, *, whole: bool) -> None:
    """Refuse prices that differ from those held by a ratio that no split explains, unless they replace all of them."""
    oldest = quotient.head(_DAYS_MEASURED)["quotient"]
    middle = oldest.median()
    if whole or oldest.len() < _DAYS_MEASURED or not isinstance(middle, float):
        return
    if abs(middle - 1.0) > _SHOULD_DIFFER and bool(((oldest / middle - 1.0).abs() <= _CONSTANT).all()):
        msg = (
            f"the closes differ from those held by the same factor {1.0 / middle:.6g}, and no split is announced; ask "
            "again tomorrow, or take over the provider's whole history with --refresh"
        )
        raise WrongAnswer(msg)
