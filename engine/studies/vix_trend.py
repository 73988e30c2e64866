"""When VIX trends up and when its floor rises, as the VIX regime strategy reads them, for the studies that ask."""

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from engine.parameters import parameter, same_parameter
from engine.strategies.conditions import depends_on
from engine.strategies.vix_regime import VixScoreParameters, floor_rises, regime_trends
from engine.studies.history import History
from engine.studies.study import StudyParameters

__all__ = ["VixTrendStudyParameters", "rising_floor", "trending"]

SOURCE = "credit stress strategies, part 1B"

Flags = NDArray[np.bool_]


class VixTrendStudyParameters(StudyParameters):
    """The regime's definition, and the two series it is about."""

    volatility: str = parameter("VIX", unit="series", meaning="index whose regime is looked at", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="market whose returns are looked at", source=SOURCE)
    vix_fast: int = same_parameter(VixScoreParameters, "vix_fast")
    vix_slow: int = same_parameter(VixScoreParameters, "vix_slow")
    vix_slope_lookback: int = same_parameter(VixScoreParameters, "vix_slope_lookback")
    vix_floor_window: int = same_parameter(VixScoreParameters, "vix_floor_window")
    flat_average_rises: bool = same_parameter(VixScoreParameters, "flat_average_rises")


def _panel(history: History, parameters: VixTrendStudyParameters) -> Panel:
    return history.panel_with(VIX=parameters.volatility)


def trending(history: History, parameters: VixTrendStudyParameters) -> Flags:
    """Sessions of the sample whose regime trends up; false where that cannot be said yet."""
    values = {name: getattr(parameters, name) for name in depends_on(regime_trends)}
    return history.inside(regime_trends(_panel(history, parameters), **values).met)


def rising_floor(history: History, parameters: VixTrendStudyParameters) -> Flags:
    """Sessions of the sample on which the floor of VIX rises."""
    values = {name: getattr(parameters, name) for name in depends_on(floor_rises)}
    return history.inside(floor_rises(_panel(history, parameters), **values).met)
