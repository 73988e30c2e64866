"""The monitor's metrics at every close: level, changes, scores, percentile rank and the stress composite."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.credit.spread_measures import spread_in_basis_points
from engine.credit.standardisation import percentile_rank, score, winsorised
from engine.panel import Panel
from kernels import change

__all__ = ["CHANGES", "level_score", "momentum_score", "spread_metrics", "stress"]

CHANGES = (5, 20, 60)
"""Sessions over which the short change, the medium one and that of the regime are taken."""

MOMENTUM = 20

Floats = NDArray[np.float64]


def level_score(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
) -> Floats:
    """Z-score of the level, ZL."""
    level = spread_in_basis_points(panel, spread)
    return score(level, lookback_years, short_lookback_years, smallest_deviation, window_end)


def momentum_score(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    winsor_share: float,
) -> Floats:
    """Z-score of the winsorised change over 20 sessions, ZM20."""
    changes = change(spread_in_basis_points(panel, spread), MOMENTUM)
    clipped = winsorised(changes, lookback_years, winsor_share)
    return score(clipped, lookback_years, short_lookback_years, smallest_deviation, window_end)


def stress(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    winsor_share: float,
    level_weight: float,
) -> Floats:
    """Stress composite: ZL and ZM20, weighted."""
    windows = (lookback_years, short_lookback_years, smallest_deviation, window_end)
    momentum = momentum_score(panel, spread, *windows, winsor_share)
    return level_weight * level_score(panel, spread, *windows) + (1.0 - level_weight) * momentum


def spread_metrics(
    panel: Panel,
    spread: str = "hy_oas",
    *,
    lookback_years: int = 5,
    short_lookback_years: int = 3,
    smallest_deviation: float = 0.1,
    window_end: str = "today",
    winsor_share: float = 0.01,
    level_weight: float = 0.7,
) -> pl.DataFrame:
    """Compute all metrics of a measure over the sample of a panel.

    Returns
    -------
    ``date``, ``level``, ``change_5``, ``change_20`` and ``change_60`` in basis points, ``level_score``,
    ``momentum_score``, ``percentile_rank`` (0 to 1) and ``stress``; null where undefined. The parameters are those of
    the strategy ``credit_spreads_monitor``.
    """
    windows = (lookback_years, short_lookback_years, smallest_deviation, window_end)
    level = spread_in_basis_points(panel, spread)
    columns = {
        "level": level,
        **{f"change_{sessions}": change(level, sessions) for sessions in CHANGES},
        "level_score": level_score(panel, spread, *windows),
        "momentum_score": momentum_score(panel, spread, *windows, winsor_share),
        "percentile_rank": percentile_rank(level, lookback_years, short_lookback_years),
        "stress": stress(panel, spread, *windows, winsor_share, level_weight),
    }
    frame = pl.DataFrame({"date": panel.dates, **columns})
    return frame.slice(panel.start).with_columns(pl.selectors.float().fill_nan(None))
