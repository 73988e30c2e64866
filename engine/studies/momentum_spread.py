"""Growth stocks' daily return less the market's: how it is distributed.

Source: credit stress strategies, part 1C. The spread is the difference of the two daily returns. Its percentiles are
those of the whole sample, interpolated linearly; the document calls the first one the crash threshold, which nobody
could have known before the sample was over.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.parameters import parameter
from engine.studies.coverage import LEAST_CHANGES
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult

__all__ = ["STUDY", "MomentumSpreadParameters"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 1C"
DESCRIBES = "describes what prices did; nothing is decided on it, so there is no tradable form"
HINDSIGHT = (
    "a percentile of the whole sample, known only at its end: as a threshold for a crash it would look ahead, which "
    "the fixed threshold of the classifier does not"
)


class MomentumSpreadParameters(StudyParameters):
    """The two sides of the spread."""

    growth: str = parameter("QQQ", unit="series", meaning="what stands for momentum", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)


def run(history: History, parameters: MomentumSpreadParameters) -> StudyResult:
    """Describe the spread over the sample and by calendar year."""
    spread = history.returns(parameters.growth) - history.returns(parameters.equity)
    present = ~np.isnan(spread)
    statistics = _statistics(spread[present])
    figures = tuple(
        Figure(
            f"momentum.spread.{name}",
            reproduced=value,
            n=int(present.sum()),
            reason=HINDSIGHT if name.startswith("pct") else DESCRIBES,
        )
        for name, value in statistics.items()
    )
    years = history.dates.astype("datetime64[Y]").astype(int) + 1970
    rows = [
        {"year": int(year), "days": int(mine.sum()), **_statistics(spread[mine])}
        for year in np.unique(years[present])
        if (mine := present & (years == year)).sum() >= LEAST_CHANGES
    ]
    tables = {
        "momentum.spread": pl.DataFrame({"statistic": list(statistics), "value": list(statistics.values())}),
        "momentum.spread.by_year": pl.DataFrame(rows),
    }
    return StudyResult(tables, figures)


def _statistics(spread: Floats) -> dict[str, float]:
    first, fifth = np.quantile(spread, [0.01, 0.05])
    return {
        "mean": float(spread.mean()),
        "std": float(spread.std(ddof=1)),
        "pct_1": float(first),
        "pct_5": float(fifth),
    }


STUDY = Study(
    name="momentum_spread",
    title="Growth stocks' daily return less the market's",
    source=SOURCE,
    parameters=MomentumSpreadParameters,
    series=lambda parameters: (parameters.growth, parameters.equity),
    compute=run,
    answers=("momentum.spread",),
)
