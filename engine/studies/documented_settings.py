"""What the documents set: ranges, thresholds and horizons, as the engine's strategies and rules know them.

No data can confirm them. They are read from the strategies themselves, so that a setting of the engine that departs
from its document shows as a difference.
"""

from collections.abc import Iterator

import polars as pl

from engine.parameters import documentation
from engine.strategies import find_strategy
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult, Value

__all__ = ["STUDY", "SettingsParameters"]

REASON = "set by the document, not found in data"

RANGES = {
    "pair.ranges.xlf_dma": ("pair", "xlf_dma"),
    "pair.ranges.hyg_drawdown": ("pair", "hyg_drawdown"),
    "pair.ranges.basket_weights": ("pair", "basket_weights"),
    "pair.ranges.stop_loss": ("pair", "stop_loss"),
    "vix.ranges.sma_fast": ("vix_regime", "vix_fast"),
    "vix.ranges.sma_slow": ("vix_regime", "vix_slow"),
    "vix.ranges.floor_window": ("vix_regime", "vix_floor_window"),
    "vix.ranges.slope_lookback": ("vix_regime", "vix_slope_lookback"),
}
"""Figures that are the documented range of a strategy's parameter."""

DEFAULTS = {
    "momentum.thresholds.crash_spread_5d": ("momentum_crash", "crash_spread"),
    "momentum.thresholds.liquidation_hyg_drawdown_20d": ("momentum_crash", "hyg_drawdown"),
}
"""Figures that are the default of a strategy's parameter."""


class SettingsParameters(StudyParameters):
    """Nothing can be set."""


def _settings() -> Iterator[tuple[str, Value, str]]:
    """Yield id, value and the strategy that has it."""
    for name, (strategy, field) in RANGES.items():
        yield name, tuple(documentation(find_strategy(strategy).parameters, field).documented or ()), strategy
    for name, (strategy, field) in DEFAULTS.items():
        yield name, find_strategy(strategy).parameters.model_fields[field].default, strategy
    monitor = find_strategy("credit_spreads_monitor")
    for rule in monitor.insight_rules:
        if rule.horizons is not None:
            yield f"spread_monitor.rules.{rule.name}.horizon_days", rule.horizons, monitor.name


def run(history: History, parameters: SettingsParameters) -> StudyResult:  # noqa: ARG001 - the same on any history
    """List the settings."""
    settings = list(_settings())
    figures = tuple(Figure(name, reproduced=value, reason=REASON) for name, value, _ in settings)
    rows = [{"setting": name, "value": str(value), "strategy": strategy} for name, value, strategy in settings]
    return StudyResult({"settings": pl.DataFrame(rows)}, figures)


STUDY = Study(
    name="documented_settings",
    title="Ranges, thresholds and horizons of the documents, as the engine knows them",
    source="all three documents",
    parameters=SettingsParameters,
    series=lambda _parameters: (),
    compute=run,
    answers=(
        *RANGES,
        *DEFAULTS,
        "spread_monitor.rules.risk_off.horizon_days",
        "spread_monitor.rules.reflexive_bounce.horizon_days",
    ),
)
