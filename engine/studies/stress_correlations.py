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
REASONS = {
    "hyg_spy": f"{REASON}; it depends on the dividends that the data credit to the bond fund, and one unit of the last "
    "printed digit is within what providers revise"
}


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


def correlation(one: Floats, other: Floats, days: Flags) -> float | None:
    """Pearson's correlation on some days; None with fewer than three returns of both, or where one does not move."""
    counted = days & ~np.isnan(one) & ~np.isnan(other)
    x, y = one[counted], other[counted]
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def run(history: History, parameters: CorrelationParameters) -> StudyResult:
    """Correlate each pair on the days of stress and on the others."""
    stress = within_any(history.periods, history.dates)
    rows: list[dict[str, Any]] = []
    for pair in parameters.pairs:
        one, other = (history.returns(name) for name in pair.split("/"))
        stressed, normal = correlation(one, other, stress), correlation(one, other, ~stress)
        delta = None if stressed is None or normal is None else stressed - normal
        rows.append({"pair": pair.replace("/", "_").lower(), "stress": stressed, "normal": normal, "delta": delta})
    days = {"stress": int(stress.sum()), "normal": int((~stress).sum()), "delta": None}
    figures = tuple(
        Figure(
            f"pair.correlations.{row['pair']}.{column}",
            reproduced=row[column],
            n=n,
            reason=REASONS.get(row["pair"], REASON),
        )
        for row in rows
        for column, n in days.items()
    )
    schema = {"pair": pl.String, "stress": pl.Float64, "normal": pl.Float64, "delta": pl.Float64}
    return StudyResult({"pair.correlations": pl.DataFrame(rows, schema=schema)}, figures)


STUDY = Study(
    name="stress_correlations",
    title="How sectors and credit move together, in stress and otherwise",
    source=SOURCE,
    parameters=CorrelationParameters,
    series=_series,
    run=run,
    answers=("pair.correlations",),
)
