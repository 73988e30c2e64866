"""How often each level of the capitulation score occurs, and which components make it up.

Source: credit stress strategies, part 4. Undefined components count nothing, so that the first sessions of a sample
whose indicators warm up inside it can only have low scores.
"""

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import episodes
from engine.panel import Panel
from engine.parameters import parameter, same_parameter
from engine.strategies import read_condition
from engine.strategies.capitulation import CAPITULATION_COMPONENTS, CapitulationScoreParameters, capitulation_scores
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult

__all__ = ["STUDY", "CapitulationDistributionParameters", "capitulation_panel", "score_levels"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 4"
WEIGHTS = ("weight_vix", "weight_hyg", "weight_breadth", "weight_xlf")
REASON = "describes how often a score occurs; nothing is decided on it, so there is no tradable form"


class CapitulationDistributionParameters(StudyParameters):
    """What the score is made of."""

    volatility: str = parameter("VIX", unit="series", meaning="what is extreme by its z-score", source=SOURCE)
    credit: str = parameter("HYG", unit="series", meaning="high yield", source=SOURCE)
    equity: str = parameter(
        "SPY", unit="series", meaning="whose declines are counted, and what is bought", source=SOURCE
    )
    financials: str = parameter("XLF", unit="series", meaning="what is below its average", source=SOURCE)
    vix_z_window: int = same_parameter(CapitulationScoreParameters, "vix_z_window")
    vix_z: float = same_parameter(CapitulationScoreParameters, "vix_z")
    hyg_window: int = same_parameter(CapitulationScoreParameters, "hyg_window")
    hyg_drawdown: float = same_parameter(CapitulationScoreParameters, "hyg_drawdown")
    breadth_window: int = same_parameter(CapitulationScoreParameters, "breadth_window")
    breadth_declines: int = same_parameter(CapitulationScoreParameters, "breadth_declines")
    xlf_dma: int = same_parameter(CapitulationScoreParameters, "xlf_dma")
    weight_vix: float = same_parameter(CapitulationScoreParameters, "weight_vix")
    weight_hyg: float = same_parameter(CapitulationScoreParameters, "weight_hyg")
    weight_breadth: float = same_parameter(CapitulationScoreParameters, "weight_breadth")
    weight_xlf: float = same_parameter(CapitulationScoreParameters, "weight_xlf")


def capitulation_panel(history: History, parameters: CapitulationDistributionParameters) -> Panel:
    """Return the panel with the chosen series in the parts that the score reads."""
    return history.panel_with(
        VIX=parameters.volatility, HYG=parameters.credit, SPY=parameters.equity, XLF=parameters.financials
    )


def score_levels(parameters: CapitulationDistributionParameters) -> list[float]:
    """All values that the score can take, ascending: 0 to 4 where each component weighs 1."""
    weights = [getattr(parameters, name) for name in WEIGHTS]
    subsets = (subset for size in range(len(weights) + 1) for subset in combinations(weights, size))
    return sorted({float(sum(subset)) for subset in subsets})


def run(history: History, parameters: CapitulationDistributionParameters) -> StudyResult:
    """Count the levels over the sample and by calendar year, and the components at each level."""
    panel = capitulation_panel(history, parameters)
    values = parameters.model_dump()
    scores = history.inside(capitulation_scores(panel, values))
    met = {
        condition.read.__name__: history.inside(read_condition(condition, panel, values).met)
        for condition in CAPITULATION_COMPONENTS
    }
    levels = score_levels(parameters)
    at = {level: scores == level for level in levels}
    shares: list[dict[str, Any]] = [
        {
            "score": level,
            "share": float(days.mean()),
            "days": int(days.sum()),
            "episodes": episodes(days).count,
            **{name: float(flags[days].mean()) if days.any() else None for name, flags in met.items()},
        }
        for level, days in at.items()
    ]
    years = history.dates.astype("datetime64[Y]").astype(int) + 1970
    by_year = [
        {"year": int(year), **{f"{level:g}": int((days & (years == year)).sum()) for level, days in at.items()}}
        for year in np.unique(years)
    ]
    figures = tuple(
        Figure(
            f"capitulation.score_share.{row['score']:g}",
            reproduced=row["share"],
            n=row["days"],
            episodes=row["episodes"],
            reason=REASON,
        )
        for row in shares
    )
    tables = {
        "capitulation.score_share": pl.DataFrame(shares),
        "capitulation.score_share.by_year": pl.DataFrame(by_year),
    }
    return StudyResult(tables, figures)


STUDY = Study(
    name="capitulation_distribution",
    title="How often each level of the capitulation score occurs",
    source=SOURCE,
    parameters=CapitulationDistributionParameters,
    series=lambda parameters: (parameters.volatility, parameters.credit, parameters.equity, parameters.financials),
    compute=run,
    answers=("capitulation.score_share",),
)
