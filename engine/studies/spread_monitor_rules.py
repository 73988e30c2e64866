"""The three rules of the credit spreads monitor: what followed, over cash and over the market, and how often.

Source: credit spreads monitor, insight rules and backtest notes. A rule that fires at close t is judged on the returns
from close t+1 to 5, 20 and 60 sessions later. The market itself is compared with cash and with the market on an average
session; baskets of sectors and small caps with cash and with the market over the same sessions. The document names no
sample: it is all that the data hold, the market's from the first session of its fund, a longer one from its index.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.cash import BILL_RATE, cash_returns
from engine.credit import MEASURES, RULES, proxy_note, rule_fires
from engine.credit.monitor_conditions import (
    BREADTH_FUNDS,
    INVESTMENT_GRADE,
    breadth_is_benign,
    investment_grade_is_benign,
)
from engine.credit.spread_measures import REFERENCE
from engine.inference import EventStatistics, event_statistics, random_entry_null
from engine.panel import Panel, Sample
from engine.parameters import parameter, same_parameter
from engine.strategies import InsightRule, depends_on
from engine.strategies.credit_spreads_monitor import CreditSpreadsMonitorParameters
from engine.studies.event_tables import EventStudyParameters, event_table, with_adjusted_p_values
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult, Symbols
from engine.studies.timing import traded_forward

__all__ = ["STUDY", "SpreadMonitorRulesParameters"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labelled = tuple[Mapping[str, Any], EventStatistics]

SOURCE = "credit spreads monitor"
HORIZONS = (5, 20, 60)
FALLS = (-0.05, -0.10)
"""Falls below the close of entry whose probability rule 1 says is higher."""

_Monitor = CreditSpreadsMonitorParameters


def _series(default: Any, meaning: str) -> Any:
    return parameter(default, unit="series", meaning=meaning, source=SOURCE)


class SpreadMonitorRulesParameters(EventStudyParameters):
    """What the rules read and what is followed; thresholds and windows are those of the monitor."""

    equity: str = _series("SPY", "the market")
    index: str = _series("^GSPC", "the market's index, whose history is longer; it pays no dividends")
    cash: str = _series(BILL_RATE, "the bill rate that cash earns")
    volatility: str = _series("VIX", "the volatility that rule 3 reads")
    defensive: Symbols = _series(("XLP", "XLU", "XLV"), "basket of defensive sectors, equally weighted at entry")
    cyclical: Symbols = _series(("XLY", "XLI", "XLF", "XLB", "XLE"), "basket of cyclical sectors, likewise")
    small_caps: str = _series("IWM", "small capitalisations")
    spread: Literal["hy_oas", "ig_oas", "baa_minus_dgs10", "baa10y", "hyg_lqd", "lqd_tlt"] = same_parameter(
        _Monitor, "spread"
    )
    lookback_years: int = same_parameter(_Monitor, "lookback_years")
    short_lookback_years: int = same_parameter(_Monitor, "short_lookback_years")
    smallest_deviation: float = same_parameter(_Monitor, "smallest_deviation")
    window_end: Literal["today", "yesterday"] = same_parameter(_Monitor, "window_end")
    short_history: Literal["percentile", "shorter_window"] = same_parameter(_Monitor, "short_history")
    top_share: float = same_parameter(_Monitor, "top_share")
    risk_off_score: float = same_parameter(_Monitor, "risk_off_score")
    bounce_score: float = same_parameter(_Monitor, "bounce_score")
    bounce_drawdown: float = same_parameter(_Monitor, "bounce_drawdown")
    bounce_drawdown_window: int = same_parameter(_Monitor, "bounce_drawdown_window")
    calm_score: float = same_parameter(_Monitor, "calm_score")
    vix_calm_score: float = same_parameter(_Monitor, "vix_calm_score")
    ig_benign_score: float = same_parameter(_Monitor, "ig_benign_score")
    breadth_window: int = same_parameter(_Monitor, "breadth_window")
    breadth_benign_share: float = same_parameter(_Monitor, "breadth_benign_share")


@dataclass(frozen=True)
class _Market:
    """Tradable forward returns by horizon, each from close t+1 on, float64 (sessions,), NaN where incomplete.

    Attributes
    ----------
    equity, index, cash
        The index is None where the history does not hold it.
    baskets
        Defensive and cyclical sectors and small caps, as far as the history holds them.
    """

    equity: Mapping[int, Floats]
    index: Mapping[int, Floats] | None
    cash: Mapping[int, Floats]
    baskets: Mapping[str, Mapping[int, Floats]]


def run(history: History, parameters: SpreadMonitorRulesParameters) -> StudyResult:
    """Follow the market after each rule, and sectors and small caps after the first."""
    panel = history.panel_with(SPY=parameters.equity, VIX=parameters.volatility)
    values = parameters.model_dump()
    fires = _fires(panel, values)
    market = _market(history, parameters)
    describe = _describer(parameters.seed)
    over_cash = {
        (rule.name, horizon): describe(market.equity[horizon] - market.cash[horizon], fires[rule.name], horizon)
        for rule in RULES
        for horizon in HORIZONS
    }
    followed = [*_market_rows(parameters, market, fires, over_cash, describe)]
    followed += _basket_rows(parameters, market, fires[RULES[0].name], describe)
    excess = {horizon: _excess(market, horizon) for horizon in HORIZONS}
    confidence = _confidence_rows(parameters.equity, excess, fires, over_cash, parameters.seed)
    tables = {
        "spread_monitor.rules": event_table(followed),
        "spread_monitor.falls": _fall_table(history, parameters, fires[RULES[0].name], describe),
    }
    if market.index is not None:
        longer = _fires(history.panel_with(SPY=parameters.index, VIX=parameters.volatility), values)
        index_over_cash = {
            (name, horizon): describe(market.index[horizon] - market.cash[horizon], events, horizon)
            for name, events in longer.items()
            for horizon in HORIZONS
        }
        labelled = [({"rule": name, "horizon": horizon}, found) for (name, horizon), found in index_over_cash.items()]
        tables["spread_monitor.index"] = event_table(labelled)
        excess = {horizon: market.index[horizon] - market.cash[horizon] for horizon in HORIZONS}
        confidence += _confidence_rows(parameters.index, excess, longer, index_over_cash, parameters.seed)
    tables["spread_monitor.confidence"] = with_adjusted_p_values(pl.DataFrame(confidence, infer_schema_length=None))
    invalid = _invalidated(panel, {**values, "invalidation": "at_trigger"})
    if invalid is not None:
        split = {"general": ~invalid[panel.start :], "narrow": invalid[panel.start :]}
        tables["spread_monitor.invalidation"] = event_table(
            [
                (
                    {"stress": name, "horizon": horizon},
                    describe(_excess(market, horizon), fires[RULES[0].name] & part, horizon),
                )
                for name, part in split.items()
                for horizon in HORIZONS
            ]
        )
    figures = tuple(_figure(rule, over_cash) for rule in RULES)
    proxy = proxy_note(panel, parameters.spread)
    return StudyResult(tables, figures, (*((proxy,) if proxy else ()), *NOTES))


NOTES = (
    "a rule that fires at close t is followed from close t+1; events without a complete horizon are not counted",
    "the market over itself on average is its return less its mean over all sessions with one: what chance entry earns",
    "the document does not say what its confidences are measured by: they are set beside the share of events whose "
    "excess over cash had the claimed sign, and beside that share among all sessions",
)


def _fires(panel: Panel, values: Mapping[str, Any]) -> dict[str, Flags]:
    """Closes of the sample at which each rule fires."""
    return {rule.name: rule_fires(panel, rule, values)[panel.start :] for rule in RULES}


def _describer(seed: int) -> Callable[[Floats, Flags, int], EventStatistics]:
    return lambda returns, events, horizon: event_statistics(returns, events, horizon=horizon, seed=seed)


def _excess(market: _Market, horizon: int) -> Floats:
    return market.equity[horizon] - market.cash[horizon]


def _market(history: History, parameters: SpreadMonitorRulesParameters) -> _Market:
    earned = cash_returns(history.dates, history.closes(parameters.cash))
    known = np.flatnonzero(~np.isnan(earned))
    grown = np.full(len(earned), np.nan)
    grown[known] = np.cumprod(1.0 + earned[known])
    baskets = {
        "defensive": parameters.defensive,
        "cyclical": parameters.cyclical,
        "small caps": (parameters.small_caps,),
    }
    held = {name: members for name, members in baskets.items() if all(history.holds(series) for series in members)}
    return _Market(
        equity=_forward(history.closes(parameters.equity)),
        index=_forward(history.closes(parameters.index)) if history.holds(parameters.index) else None,
        cash=_forward(grown),
        baskets={name: _forward(*(history.closes(series) for series in members)) for name, members in held.items()},
    )


def _forward(*closes: Floats) -> dict[int, Floats]:
    """Mean forward return of some series, by horizon."""
    return {horizon: np.mean([traded_forward(each, horizon) for each in closes], axis=0) for horizon in HORIZONS}


def _market_rows(
    parameters: SpreadMonitorRulesParameters,
    market: _Market,
    fires: Mapping[str, Flags],
    over_cash: Mapping[tuple[str, int], EventStatistics],
    describe: Callable[[Floats, Flags, int], EventStatistics],
) -> list[Labelled]:
    rows: list[Labelled] = []
    for (name, horizon), statistics in over_cash.items():
        label = {"rule": name, "asset": parameters.equity, "horizon": horizon}
        returns = market.equity[horizon]
        usual = returns - np.nanmean(returns) if not np.isnan(returns).all() else returns
        rows.append(({**label, "over": "cash"}, statistics))
        rows.append(({**label, "over": f"{parameters.equity} on average"}, describe(usual, fires[name], horizon)))
    return rows


def _basket_rows(
    parameters: SpreadMonitorRulesParameters,
    market: _Market,
    events: Flags,
    describe: Callable[[Floats, Flags, int], EventStatistics],
) -> list[Labelled]:
    """Rule 1's second claim: baskets over cash and over the market, and the defensive one over the cyclical one."""
    rows: list[Labelled] = []
    compared = [
        (name, over, returns, against)
        for name, returns in market.baskets.items()
        for over, against in (("cash", market.cash), (parameters.equity, market.equity))
    ]
    if {"defensive", "cyclical"} <= set(market.baskets):
        compared.append(("defensive", "cyclical", market.baskets["defensive"], market.baskets["cyclical"]))
    for name, over, returns, against in compared:
        for horizon in HORIZONS:
            label = {"rule": RULES[0].name, "asset": name, "horizon": horizon, "over": over}
            rows.append((label, describe(returns[horizon] - against[horizon], events, horizon)))
    return rows


def _fall_table(
    history: History,
    parameters: SpreadMonitorRulesParameters,
    events: Flags,
    describe: Callable[[Floats, Flags, int], EventStatistics],
) -> pl.DataFrame:
    """How often the market falls below the close of entry within a horizon, after rule 1 and after any session."""
    closes = history.closes(parameters.equity)
    rows = []
    for horizon in HORIZONS:
        deepest = _deepest(closes, horizon)
        for fall in FALLS:
            fell = np.where(np.isnan(deepest), np.nan, deepest <= fall)
            statistics = describe(fell, events, horizon)
            rows.append(
                {
                    "fall": fall,
                    "horizon": horizon,
                    "share": statistics.positive,
                    "low": statistics.positive_low,
                    "high": statistics.positive_high,
                    "all_sessions": None if np.isnan(fell).all() else float(np.nanmean(fell)),
                    "n": statistics.n,
                    "episodes": statistics.episodes,
                    "effective_n": statistics.effective_n,
                    "null_p_value": _by_chance(fell, events, horizon, parameters.seed),
                }
            )
    return with_adjusted_p_values(pl.DataFrame(rows, infer_schema_length=None))


def _by_chance(came_true: Floats, events: Flags, horizon: int, seed: int) -> float | None:
    """One-sided p-value that a claim, 1 where it came true, comes true as often after events at random places."""
    null = random_entry_null(came_true, events, horizon=horizon, seed=seed)
    return null.higher_p_value if null else None


def _deepest(closes: Floats, horizon: int) -> Floats:
    """Lowest close of t+2 … t+1+horizon over that of t+1, less 1; NaN where one is missing."""
    result = np.full(len(closes), np.nan)
    if len(closes) > horizon + 1:
        windows = np.lib.stride_tricks.sliding_window_view(closes, horizon + 1)[1:]
        result[: len(windows)] = windows[:, 1:].min(axis=1) / windows[:, 0] - 1.0
    return result


def _invalidated(panel: Panel, values: Mapping[str, Any]) -> Flags | None:
    """Closes at which the document would not generalise; None without the series that tell."""
    needed = (*MEASURES[INVESTMENT_GRADE].inputs, *BREADTH_FUNDS)
    if not all(series in panel.columns for series in needed):
        return None
    readings = [
        read(panel, **{name: values[name] for name in depends_on(read)})
        for read in (investment_grade_is_benign, breadth_is_benign)
    ]
    both: Flags = readings[0].met & readings[1].met
    return both


def _claimed(rule: InsightRule, share: float | None) -> float | None:
    """Share of excess returns with the claimed sign; None where no sign is claimed."""
    if share is None or rule.expected == "neutral":
        return None
    return share if rule.expected == "positive" else 1.0 - share


def _confidence_rows(
    asset: str,
    excess: Mapping[int, Floats],
    fires: Mapping[str, Flags],
    over_cash: Mapping[tuple[str, int], EventStatistics],
    seed: int,
) -> list[dict[str, Any]]:
    """How often what a rule claims came true, after its events and after any session."""
    rows = []
    for rule in RULES:
        for horizon in HORIZONS:
            statistics, everyday = over_cash[rule.name, horizon], excess[horizon]
            known = everyday[~np.isnan(everyday)]
            came_true = None if rule.expected == "neutral" else _came_true(rule, everyday)
            low, high = _interval(rule, statistics)
            rows.append(
                {
                    "asset": asset,
                    "rule": rule.name,
                    "claim": rule.expected,
                    "horizon": horizon,
                    "claimed_horizon": rule.horizons is None or rule.horizons[0] <= horizon <= rule.horizons[1],
                    "confidence": rule.confidence,
                    "share": _claimed(rule, statistics.positive),
                    "low": low,
                    "high": high,
                    "all_sessions": _claimed(rule, float((known > 0.0).mean()) if len(known) else None),
                    "n": statistics.n,
                    "episodes": statistics.episodes,
                    "effective_n": statistics.effective_n,
                    "null_p_value": (
                        None if came_true is None else _by_chance(came_true, fires[rule.name], horizon, seed)
                    ),
                }
            )
    return rows


def _came_true(rule: InsightRule, excess: Floats) -> Floats:
    """1 where an excess return has the claimed sign, 0 where it has not, NaN where there is none."""
    claimed = excess > 0.0 if rule.expected == "positive" else excess <= 0.0
    return np.where(np.isnan(excess), np.nan, claimed)


def _interval(rule: InsightRule, statistics: EventStatistics) -> tuple[float | None, float | None]:
    ends = (_claimed(rule, statistics.positive_low), _claimed(rule, statistics.positive_high))
    return ends if rule.expected != "negative" else (ends[1], ends[0])


def _figure(rule: InsightRule, over_cash: Mapping[tuple[str, int], EventStatistics]) -> Figure:
    """The document's confidence, beside the share of events after which the claim came true."""
    longest = rule.horizons[1] if rule.horizons else HORIZONS[-1]
    statistics = over_cash[rule.name, longest]
    low, high = _interval(rule, statistics)
    measured = (
        "set by the document, which does not say how it is measured; tradable is the share of events whose excess "
        f"over cash is {rule.expected} {longest} sessions on"
        if rule.expected != "neutral"
        else "set by the document; a neutral claim names no sign that events could confirm one by one"
    )
    return Figure(
        f"spread_monitor.rules.{rule.name}.confidence",
        reproduced=rule.confidence,
        tradable=_claimed(rule, statistics.positive),
        low=low,
        high=high,
        n=statistics.n,
        episodes=statistics.episodes,
        reason=measured,
    )


def _optional(parameters: SpreadMonitorRulesParameters) -> tuple[str, ...]:
    baskets = (*parameters.defensive, *parameters.cyclical, parameters.small_caps)
    compared = (*MEASURES[INVESTMENT_GRADE].inputs, *MEASURES[REFERENCE].inputs)
    return (parameters.index, *baskets, *BREADTH_FUNDS, *compared)


STUDY = Study(
    name="spread_monitor_rules",
    title="Rules 1 to 3 of the credit spreads monitor at 5, 20 and 60 sessions",
    source=SOURCE,
    parameters=SpreadMonitorRulesParameters,
    series=lambda parameters: (
        parameters.equity,
        parameters.cash,
        parameters.volatility,
        *MEASURES[parameters.spread].inputs,
    ),
    optional=_optional,
    compute=run,
    answers=tuple(
        f"spread_monitor.rules.{name}.confidence" for name in ("risk_off", "reflexive_bounce", "non_confirmation")
    ),
    sample=Sample(),
)
