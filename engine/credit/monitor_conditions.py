"""What the credit spreads monitor looks at: conditions on the spread, on VIX and SPY, and on how wide the stress is.

Source: credit spreads monitor, signals and thresholds. Names of the parameters are those of the strategy
``credit_spreads_monitor``.
"""

import numpy as np
from numpy.typing import NDArray

from engine.credit.metrics import MOMENTUM, level_score, stress
from engine.credit.spread_measures import spread_in_basis_points
from engine.credit.standardisation import SESSIONS_A_YEAR, is_history_short, percentile_rank, score
from engine.panel import Panel
from engine.strategies.conditions import Reading, above, at_least, at_most, below
from kernels import change, consecutive_true, rolling_drawdown, rolling_mean

__all__ = [
    "BREADTH_FUNDS",
    "INVESTMENT_GRADE",
    "breadth_is_benign",
    "composite_is_high",
    "fund_is_down",
    "history_is_there",
    "investment_grade_is_benign",
    "spread_falls_over_5_sessions",
    "spread_falls_over_20_sessions",
    "spread_has_calmed",
    "spread_is_at_its_peak",
    "spread_is_stale",
    "spread_is_stressed",
    "spread_is_unremarkable",
    "spread_rises_over_20_sessions",
    "vix_is_calm",
]

BREADTH_FUNDS = ("XLE", "XLB", "XLU", "XLF", "XLI", "XLP", "XLV", "XLY")
"""Funds of the sectors whose share above their own average is the breadth of the market."""

INVESTMENT_GRADE = "ig_oas"

Floats = NDArray[np.float64]


def history_is_there(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
) -> Reading:
    """The spread is known, and long enough for a score: sessions since its first value."""
    level = spread_in_basis_points(panel, spread)
    scores = level_score(panel, spread, lookback_years, short_lookback_years, smallest_deviation, window_end)
    since = np.cumsum(np.maximum.accumulate(~np.isnan(level))).astype(np.float64)
    return at_least(np.where(np.isnan(scores), np.nan, since), SESSIONS_A_YEAR * short_lookback_years)


def spread_is_stressed(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    short_history: str,
    top_share: float,
    risk_off_score: float,
) -> Reading:
    """ZL is high; or, with ``short_history = "percentile"`` and a short history, the rank is in the top share."""
    scores = level_score(panel, spread, lookback_years, short_lookback_years, smallest_deviation, window_end)
    if short_history != "percentile":
        return at_least(scores, risk_off_score)
    level = spread_in_basis_points(panel, spread)
    short = is_history_short(level, lookback_years)
    rank = percentile_rank(level, lookback_years, short_lookback_years)
    return at_least(np.where(short, rank, scores), np.where(short, 1.0 - top_share, risk_off_score))


def composite_is_high(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    winsor_share: float,
    level_weight: float,
    composite_score: float,
) -> Reading:
    """The stress composite is high."""
    windows = (lookback_years, short_lookback_years, smallest_deviation, window_end)
    return at_least(stress(panel, spread, *windows, winsor_share, level_weight), composite_score)


def spread_has_calmed(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    exit_score: float,
) -> Reading:
    """ZL is low enough to end risk-off."""
    return at_most(
        level_score(panel, spread, lookback_years, short_lookback_years, smallest_deviation, window_end), exit_score
    )


def spread_is_at_its_peak(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    bounce_score: float,
) -> Reading:
    """ZL is as high as at a peak of stress."""
    return at_least(
        level_score(panel, spread, lookback_years, short_lookback_years, smallest_deviation, window_end), bounce_score
    )


def spread_is_unremarkable(
    panel: Panel,
    spread: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    calm_score: float,
) -> Reading:
    """ZL does not confirm stress."""
    return below(
        level_score(panel, spread, lookback_years, short_lookback_years, smallest_deviation, window_end), calm_score
    )


def spread_rises_over_20_sessions(panel: Panel, spread: str) -> Reading:
    """The change over 20 sessions, in basis points, is above 0."""
    return above(change(spread_in_basis_points(panel, spread), MOMENTUM), 0.0)


def spread_falls_over_20_sessions(panel: Panel, spread: str) -> Reading:
    """The change over 20 sessions, in basis points, is below 0."""
    return below(change(spread_in_basis_points(panel, spread), MOMENTUM), 0.0)


def spread_falls_over_5_sessions(panel: Panel, spread: str) -> Reading:
    """The change over 5 sessions, in basis points, is below 0."""
    return below(change(spread_in_basis_points(panel, spread), 5), 0.0)


def spread_is_stale(panel: Panel, spread: str, stale_sessions: int) -> Reading:
    """No value has been known for some closes in a row; the panel carries none beyond its week."""
    missing = consecutive_true(np.isnan(spread_in_basis_points(panel, spread)))
    return at_least(missing.astype(np.float64), stale_sessions)


def fund_is_down(panel: Panel, bounce_drawdown_window: int, bounce_drawdown: float) -> Reading:
    """SPY's drawdown from its high is deep."""
    return at_most(panel.indicator(rolling_drawdown, "SPY", bounce_drawdown_window), bounce_drawdown)


def vix_is_calm(
    panel: Panel, lookback_years: int, short_lookback_years: int, window_end: str, vix_calm_score: float
) -> Reading:
    """The z-score of VIX is low."""
    return below(score(panel.values("VIX"), lookback_years, short_lookback_years, 0.0, window_end), vix_calm_score)


def investment_grade_is_benign(
    panel: Panel,
    invalidation: str,
    lookback_years: int,
    short_lookback_years: int,
    smallest_deviation: float,
    window_end: str,
    ig_benign_score: float,
) -> Reading:
    """The z-score of the investment-grade OAS is low; unread with ``invalidation = "off"``."""
    if invalidation == "off":
        return _unread(panel)
    scores = level_score(panel, INVESTMENT_GRADE, lookback_years, short_lookback_years, smallest_deviation, window_end)
    return below(scores, ig_benign_score)


def breadth_is_benign(panel: Panel, invalidation: str, breadth_window: int, breadth_benign_share: float) -> Reading:
    """Enough sectors are above their average; undefined until all have one, unread with ``invalidation = "off"``."""
    if invalidation == "off":
        return _unread(panel)
    averages = [panel.indicator(rolling_mean, name, breadth_window) for name in BREADTH_FUNDS]
    above_average = [panel.values(name) > average for name, average in zip(BREADTH_FUNDS, averages, strict=True)]
    share = np.mean(above_average, axis=0)
    share[np.isnan(averages).any(axis=0)] = np.nan
    return at_least(share, breadth_benign_share)


def _unread(panel: Panel) -> Reading:
    return at_least(np.full(len(panel.dates), np.nan), 0.0)
