"""Correlations of daily returns, on days of stress and on all other days.

Source: credit stress strategies, part 1A. Days of stress are those of all episodes together.
"""

from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import AfterValidator

from engine.parameters import parameter
from engine.studies.history import History
from engine.studies.periods import within_any
from engine.studies.study import Figure, Study, StudyParameters, StudyResult, Symbols

__all__ = ["STUDY", "CorrelationParameters", "correlation"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SOURCE = "credit stress strategies, part 1A"
REASON = "describes how returns moved together; nothing is decided on it, so there is no tradable form"


SCHEMA = {
    "pair": pl.String,
    "stress": pl.Float64,
    "normal": pl.Float64,
    "delta": pl.Float64,
    "stress_n": pl.Int64,
    "normal_n": pl.Int64,
}
"""Columns of the table; ``_n`` are the returns that both of a pair have."""


def _of_two(pairs: tuple[str, ...]) -> tuple[str, ...]:
    if any(len([part for part in pair.split("/") if part]) != 2 for pair in pairs):
        message = "each pair must be two series with a slash between them, as in XLE/IGV"
        raise ValueError(message)
    return pairs


class CorrelationParameters(StudyParameters):
    """Which pairs are looked at."""

    pairs: Annotated[Symbols, AfterValidator(_of_two)] = parameter(
        ("XLE/IGV", "XLF/SPY", "HYG/SPY"), unit="series", meaning="pairs of series, as in XLE/IGV", source=SOURCE
    )


def _series(parameters: CorrelationParameters) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for pair in parameters.pairs for name in pair.split("/")))


def correlation(one: Floats, other: Floats, days: Flags) -> tuple[float | None, int]:
    """Pearson's correlation on some days, and the number of days on which both have a return.

    It is None with fewer than three of them, or where one does not move.
    """
    counted = days & ~np.isnan(one) & ~np.isnan(other)
    x, y = one[counted], other[counted]
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None, len(x)
    return float(np.corrcoef(x, y)[0, 1]), len(x)


def run(history: History, parameters: CorrelationParameters) -> StudyResult:
    """Correlate each pair on the days of stress and on the others."""
    stress = within_any(history.periods, history.dates)
    rows: list[dict[str, Any]] = []
    for pair in parameters.pairs:
        one, other = (history.returns(name) for name in pair.split("/"))
        (stressed, stress_n), (normal, normal_n) = (correlation(one, other, days) for days in (stress, ~stress))
        rows.append(
            {
                "pair": pair.replace("/", "_").lower(),
                "stress": stressed,
                "normal": normal,
                "delta": None if stressed is None or normal is None else stressed - normal,
                "stress_n": stress_n,
                "normal_n": normal_n,
            }
        )
    figures = tuple(
        Figure(
            f"pair.correlations.{row['pair']}.{column}",
            reproduced=row[column],
            n=row.get(f"{column}_n"),
            reason=REASON,
        )
        for row in rows
        for column in ("stress", "normal", "delta")
    )
    return StudyResult({"pair.correlations": pl.DataFrame(rows, schema=SCHEMA)}, figures)


STUDY = Study(
    name="stress_correlations",
    title="How sectors and credit move together, in stress and otherwise",
    source=SOURCE,
    parameters=CorrelationParameters,
    series=_series,
    compute=run,
    answers=("pair.correlations",),
)
