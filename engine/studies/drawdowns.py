"""How far each market fell in each episode of stress: maximum drawdowns of closes, and the peak of VIX.

Source: credit stress strategies, part 2. A drawdown is measured from the highest close of the episode so far.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.parameters import parameter
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult, Symbols

__all__ = ["STUDY", "DrawdownParameters", "max_drawdown"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 2"
REASON = "describes what prices did; nothing is decided on it, so there is no tradable form"
ENERGY_REASON = (
    "from the close of the episode's first day to that of its last; the returns of the other tables include the first "
    "day's own, with which it is "
)


class DrawdownParameters(StudyParameters):
    """Which markets are looked at."""

    markets: Symbols = parameter(
        ("SPY", "QQQ", "XLF", "XLE", "IGV", "HYG"),
        unit="series",
        meaning="markets whose falls are shown",
        source=SOURCE,
    )
    volatility: str = parameter("VIX", unit="series", meaning="index whose peak is shown", source=SOURCE)
    energy: str = parameter("XLE", unit="series", meaning="the market whose whole return is shown, too", source=SOURCE)


def max_drawdown(closes: Floats) -> float | None:
    """Least of close over the highest close so far, minus 1; None without a close."""
    known = closes[~np.isnan(closes)]
    return float(np.min(known / np.maximum.accumulate(known) - 1.0)) if len(known) else None


def run(history: History, parameters: DrawdownParameters) -> StudyResult:
    """Find falls, peaks and the energy sector's return inside each episode."""
    days = {period.name: period.covers(history.dates) for period in history.periods}
    rows: dict[str, dict[str, float | None]] = {
        market.lower(): {name: max_drawdown(history.closes(market)[inside]) for name, inside in days.items()}
        for market in parameters.markets
    }
    index = history.closes(parameters.volatility)
    peaks = {name: _highest(index[inside]) for name, inside in days.items()}
    rows[f"{parameters.volatility.lower()}_peak"] = peaks
    figures = [
        Figure(f"parallels.max_drawdown.{row}.{period}", reproduced=value, reason=REASON)
        for row, columns in rows.items()
        for period, value in columns.items()
    ]
    energy = _energy(history, parameters.energy)
    figures += [
        Figure(
            f"parallels.max_drawdown.{parameters.energy.lower()}.total_{year}",
            reproduced=whole,
            reason=f"{ENERGY_REASON}{'unknown' if more is None else format(more, '+.1%')}",
        )
        for year, whole, more in energy.iter_rows()
    ]
    table = pl.DataFrame([{"market": name, **columns} for name, columns in rows.items()])
    return StudyResult({"parallels.max_drawdown": table, "parallels.energy": energy}, tuple(figures))


def _energy(history: History, energy: str) -> pl.DataFrame:
    """Return of the energy sector over each episode, without and with the return of its first day."""
    closes = history.closes(energy)
    rows = []
    for period in history.periods:
        place = np.flatnonzero(period.covers(history.dates))
        if not len(place):
            continue
        first, last = int(place[0]), int(place[-1])
        rows.append(
            {
                "year": period.last.year,
                "close_to_close": float(closes[last] / closes[first] - 1.0),
                "with_first_day": float(closes[last] / closes[first - 1] - 1.0) if first else None,
            }
        )
    return pl.DataFrame(rows, schema={"year": pl.Int64, "close_to_close": pl.Float64, "with_first_day": pl.Float64})


def _highest(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.max(known)) if len(known) else None


STUDY = Study(
    name="drawdowns",
    title="How far each market fell in each episode, and how high VIX rose",
    source=SOURCE,
    parameters=DrawdownParameters,
    series=lambda parameters: (*parameters.markets, parameters.volatility, parameters.energy),
    compute=run,
    answers=("parallels.max_drawdown",),
)
