"""What followed an event, as the rows of a table: one line of statistics for each event and horizon."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import EventStatistics, benjamini_hochberg, episodes
from engine.parameters import parameter
from engine.studies.study import Figure, StudyParameters

__all__ = ["EventStudyParameters", "event_figures", "event_table", "frame", "runs", "with_adjusted_p_values"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

P_VALUES = ("p_value", "null_p_value")
COLUMNS = (
    "n",
    "episodes",
    "effective_n",
    "mean",
    "mean_low",
    "mean_high",
    "median",
    "median_low",
    "median_high",
    "positive",
    "positive_low",
    "positive_high",
    "standard_error",
    *P_VALUES,
)


class EventStudyParameters(StudyParameters):
    """What every study of forward returns may be told."""

    seed: int = parameter(
        0, ge=0, unit="number", meaning="seed of the bootstrap and of the random entries", source="this engine"
    )


def event_table(rows: Sequence[tuple[Mapping[str, Any], EventStatistics]]) -> pl.DataFrame:
    """Put labels and statistics side by side, with adjusted p-values."""
    found = [{**label, **{name: getattr(statistics, name) for name in COLUMNS}} for label, statistics in rows]
    return with_adjusted_p_values(pl.DataFrame(found, infer_schema_length=None))


def with_adjusted_p_values(table: pl.DataFrame) -> pl.DataFrame:
    """Adjust the p-values of a table for their number, by Benjamini and Hochberg, each kind among its own.

    Returns
    -------
    The table with ``adjusted_p_value`` for ``p_value`` (a mean of 0) and ``adjusted_null_p_value`` for
    ``null_p_value`` (entry at random), as far as it has them.
    """
    return table.with_columns(
        pl.Series(f"adjusted_{name}", benjamini_hochberg(table[name].to_list()), pl.Float64)
        for name in P_VALUES
        if name in table.columns
    )


def frame(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Make a table of given columns, which it has without any row, too; what is undefined is null."""
    return pl.DataFrame(rows, schema=columns).fill_nan(None)


def event_figures(
    ids: Mapping[str, str], published: Floats, traded: EventStatistics, reason: str
) -> tuple[Figure, ...]:
    """Put what the document's convention gives after some events beside what could have been traded.

    Parameters
    ----------
    ids
        Which of ``n``, ``mean``, ``median`` and ``positive`` (the share above 0) are wanted, and their ids.
    published
        A return for each event by the document's convention; NaN where it has none, and then it does not count.
    traded
        Statistics of the tradable returns after the same events.
    reason
        What the difference is made of.
    """
    known = published[~np.isnan(published)]
    reproduced: dict[str, int | float | None] = {"n": len(known), "mean": None, "median": None, "positive": None}
    if len(known):
        reproduced["mean"] = float(known.mean())
        reproduced["median"] = float(np.median(known))
        reproduced["positive"] = float((known > 0.0).mean())
    return tuple(
        Figure(
            key,
            reproduced=reproduced[name],
            tradable=getattr(traded, name),
            low=getattr(traded, f"{name}_low", None),
            high=getattr(traded, f"{name}_high", None),
            n=traded.n,
            episodes=traded.episodes,
            reason=reason,
        )
        for name, key in ids.items()
    )


def runs(events: Flags, quiet: int = 1) -> list[tuple[int, int]]:
    """First and last row of each episode; episodes that begin at most `quiet` rows after the last one's end are one."""
    found = episodes(events)
    if not found.count:
        return []
    ends = found.starts + found.lengths - 1
    apart = found.starts[1:] - ends[:-1] > quiet
    begins, ends = found.starts[np.concatenate(([True], apart))], ends[np.concatenate((apart, [True]))]
    return [(int(begin), int(end)) for begin, end in zip(begins, ends, strict=True)]
