"""The state of the market on the last day of a sample: regimes, drawdowns, scores, and the pair's entry conditions.

Source: credit stress strategies, appendix. Everything is read as the strategies read it, so the table says what they
would decide at that close. For any other day, end the sample there.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.panel import Panel
from engine.parameters import same_parameter
from engine.strategies import find_strategy, read_condition
from engine.strategies.capitulation import CAPITULATION_COMPONENTS, capitulation_scores
from engine.strategies.pair import PairParameters
from engine.studies.capitulation_distribution import CapitulationDistributionParameters, capitulation_panel
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult, Value
from engine.studies.vix_trend import VixTrendStudyParameters, rising_floor, trending
from kernels import consecutive_true, rolling_drawdown

__all__ = ["STUDY", "CurrentStateParameters"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, appendix"
REASON = "describes the last day; nothing is decided on it, so there is no tradable form"


class CurrentStateParameters(CapitulationDistributionParameters, VixTrendStudyParameters):
    """What the state is made of."""

    slope_lookback: int = same_parameter(PairParameters, "slope_lookback")


def run(history: History, parameters: CurrentStateParameters) -> StudyResult:
    """Read the state at the last close of the sample."""
    panel, values = capitulation_panel(history, parameters), parameters.model_dump()
    regime = trending(history, parameters)
    days = int(consecutive_true(regime)[-1])
    index = history.closes(parameters.volatility)
    score = float(history.inside(capitulation_scores(panel, values))[-1])
    drawdown = _last(panel.indicator(rolling_drawdown, "HYG", parameters.hyg_window))
    state: dict[str, Value | None] = {
        "vix_regime_trending": bool(regime[-1]),
        "vix_regime_days": days,
        "vix_regime_since": history.dates[-days].item() if days else None,
        "vix_average": float(np.nanmean(index[-days:])) if days else None,
        "hyg_drawdown": drawdown,
        "capitulation_score": int(score) if score.is_integer() else score,
    }
    more: dict[str, Value | None] = {
        "vix": _last(index),
        "vix_floor_rises": bool(rising_floor(history, parameters)[-1]),
        "vix_score": int(regime[-1]) + int(rising_floor(history, parameters)[-1]),
    }
    made = _score_reason(panel, values)
    figures = tuple(
        Figure(f"current_state.{name}", reproduced=value, reason=made if name == "capitulation_score" else REASON)
        for name, value in state.items()
    )
    rows = [{"state": name, "value": _text(value)} for name, value in (state | more).items()]
    tables = {
        "current_state": pl.DataFrame(rows),
        "current_state.pair_conditions": _pair_conditions(history, parameters),
    }
    return StudyResult(tables, figures)


def _score_reason(panel: Panel, values: Mapping[str, Any]) -> str:
    """Say which components make the score."""
    met = [part.text for part in CAPITULATION_COMPONENTS if read_condition(part, panel, values).met[-1]]
    made = f"it is made of: {', '.join(met)}" if met else "no component is met"
    return f"{REASON}; in these data {made}"


def _pair_conditions(history: History, parameters: CurrentStateParameters) -> pl.DataFrame:
    """Return the pair's conditions at the last close, with their values and thresholds."""
    pair = find_strategy("pair")
    panel = capitulation_panel(history, parameters)
    shared = {name: value for name, value in parameters.model_dump().items() if name in pair.parameters.model_fields}
    values = pair.parameters(**shared).model_dump()
    rows: list[dict[str, Any]] = []
    for condition in pair.conditions:
        reading = read_condition(condition, panel, values)
        rows.append(
            {
                "condition": condition.text,
                "value": _last(reading.value),
                "relation": reading.relation,
                "threshold": _last(reading.threshold),
                "met": bool(reading.met[-1]),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _last(values: Floats) -> float | None:
    return None if np.isnan(values[-1]) else float(values[-1])


def _text(value: Value | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _series(parameters: CurrentStateParameters) -> tuple[str, ...]:
    return (parameters.volatility, parameters.credit, parameters.equity, parameters.financials)


STUDY = Study(
    name="current_state",
    title="The state of the market on the last day of the sample",
    source=SOURCE,
    parameters=CurrentStateParameters,
    series=_series,
    compute=run,
    answers=("current_state",),
)
