"""The weekly credit models: growth of one dollar by state, and the S&P 500 by the combined score.

Source: the combined credit spread model. As published, the state of week w earns the return of week w+1 from the last
close of w on, although Friday's spread is published on the next morning. Tradable, it is bought at the close of the
first session of week w+1 and sold at that of week w+2. A week counts in both if it and the next are over.

States are those of the strategy ``combined_credit_spread``; what each is worth is said by `engine.inference`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import EventStatistics, StateStatistics, event_statistics, state_statistics
from engine.panel import NEXT_MORNING, Sample
from engine.parameters import parameter, same_parameter
from engine.strategies import find_strategy
from engine.strategies.combined_credit_spread import (
    CDX,
    FAVOURABLE,
    HIGH_YIELD,
    LEG,
    MIXED,
    NO_READING,
    UNFAVOURABLE,
    CombinedCreditSpreadParameters,
)
from engine.studies.errors import StudyError
from engine.studies.event_tables import event_table, with_adjusted_p_values
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult
from engine.studies.timing import traded_week, week_after
from engine.sweep import Costs, grid_of_one, plan_from_panel, trace_rule
from engine.weeks import last_of_week

__all__ = ["STUDY", "CreditSpreadModelParameters", "model_states"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Model = Literal["hy", "cdx", "combined"]

SOURCE = "the combined credit spread model"
WEEKS_A_YEAR = 52
HORIZONS = (4, 13, 26)
"""Weeks after which the S&P 500 is looked at, by combined score."""

_Model = CombinedCreditSpreadParameters


class CreditSpreadModelParameters(StudyParameters):
    """Which series the models read, which market is held, and the models' own numbers."""

    high_yield: str = parameter(
        HIGH_YIELD.removesuffix(NEXT_MORNING), unit="series", meaning="the high-yield OAS", source=SOURCE
    )
    cdx: str = parameter(CDX.removesuffix(NEXT_MORNING), unit="series", meaning="the CDX index", source=SOURCE)
    equity: str = parameter(LEG, unit="series", meaning="what is held by state", source=SOURCE)
    hy_fast_weeks: int = same_parameter(_Model, "hy_fast_weeks")
    hy_slow_weeks: int = same_parameter(_Model, "hy_slow_weeks")
    hy_slow_average: Literal["of_fast_average", "of_closes"] = same_parameter(_Model, "hy_slow_average")
    hy_change_weeks: int = same_parameter(_Model, "hy_change_weeks")
    cdx_fast_weeks: int = same_parameter(_Model, "cdx_fast_weeks")
    cdx_slow_weeks: int = same_parameter(_Model, "cdx_slow_weeks")
    cdx_quote: Literal["spread", "price"] = same_parameter(_Model, "cdx_quote")
    cdx_rolls: Literal["as_quoted", "removed"] = same_parameter(_Model, "cdx_rolls")
    cdx_roll_day: int = same_parameter(_Model, "cdx_roll_day")
    warmup_weeks: int = same_parameter(_Model, "warmup_weeks")
    seed: int = parameter(
        0, ge=0, unit="number", meaning="seed of the bootstrap and of the random entries", source="this engine"
    )


@dataclass(frozen=True)
class _Weeks:
    """Finished weeks that are followed by another: their states are compared on what came next.

    Attributes
    ----------
    fridays
        Labels, ``datetime64[D]``.
    ends
        Row of the last session of each, in the sample.
    published, traded
        What the state of each earns as published and when traded; NaN where incomplete.
    """

    fridays: NDArray[np.datetime64]
    ends: NDArray[np.intp]
    published: Floats
    traded: Floats


@dataclass(frozen=True)
class _Cell:
    """One state of one model: what the market did in the weeks that it owns.

    Attributes
    ----------
    model, state
        Their names.
    weeks
        Fridays of the weeks in which the model is read.
    holds
        Weeks of `_Weeks` in which it is read and the state holds.
    owned
        What a week's state earns when traded, float64 as in `_Weeks`, NaN where the model is not read.
    share
        Of the weeks read, those in which the state holds.
    published
        Growth of 1 as the document reads it.
    traded
        Of the returns that the state owns when it is traded.
    positive, max_drawdown
        Share of these above 0, and the deepest fall of what is held in them alone.
    """

    model: str
    state: str
    weeks: NDArray[np.datetime64]
    holds: Flags
    owned: Floats
    share: float
    published: float | None
    traded: StateStatistics
    positive: float | None
    max_drawdown: float | None


def model_states(
    history: History, parameters: CreditSpreadModelParameters, model: Model, **changed: Any
) -> NDArray[np.int64]:
    """State wanted at each close of the sample, by the strategy's own rule; see `combined_credit_spread`."""
    strategy = find_strategy("combined_credit_spread")
    names = set(strategy.parameters.model_fields) & set(CreditSpreadModelParameters.model_fields)
    values = {name: getattr(parameters, name) for name in sorted(names)}
    grid = grid_of_one(strategy, {**values, "model": model, **changed}, sample=history.sample, costs=Costs())
    roles = {LEG: parameters.equity}
    for role, series in ((HIGH_YIELD, parameters.high_yield), (CDX, parameters.cdx)):
        if history.holds(series):
            roles[role] = series + NEXT_MORNING
    return trace_rule(plan_from_panel(history.panel_with(**roles), grid)).wanted


def run(history: History, parameters: CreditSpreadModelParameters) -> StudyResult:
    """Compound the market's weekly returns by state of each model, and describe them by combined score."""
    weeks = _weeks(history, parameters.equity)
    models: list[tuple[str, Model, dict[str, Any]]] = []
    if history.holds(parameters.high_yield):
        models.append(("hy_oas", "hy", {}))
    if history.holds(parameters.cdx):
        models.append(("cdx", "cdx", {}))
        if parameters.cdx_rolls == "as_quoted":
            models.append(("cdx without rolls", "cdx", {"cdx_rolls": "removed"}))
    if not models:
        message = f"neither {parameters.high_yield} nor {parameters.cdx} is in the store: one of them is needed"
        raise StudyError(message)
    states = {name: model_states(history, parameters, model, **more)[weeks.ends] for name, model, more in models}
    growth = [
        _cell(name, word, weeks, state == number, state != NO_READING, parameters.seed)
        for name, state in states.items()
        for word, number in (("favorable", FAVOURABLE), ("unfavorable", UNFAVOURABLE))
    ]
    tables = {"credit_spread_model.growth": _table(growth)}
    if {"hy_oas", "cdx"} <= set(states):
        combined = model_states(history, parameters, "combined")[weeks.ends]
        scores = {"0": UNFAVOURABLE, "1": MIXED, "2": FAVOURABLE}
        cells = [
            _cell("combined", score, weeks, combined == number, combined != NO_READING, parameters.seed)
            for score, number in scores.items()
        ]
        tables["credit_spread_model.combined"] = _table(cells).rename({"state": "score"})
        tables["credit_spread_model.combined.forward"] = _forward_table(cells, weeks, parameters.seed)
    figures = [figure for cell in growth for figure in _figures(cell, parameters)]
    return StudyResult(tables, tuple(figures), _notes(growth, parameters))


def _cell(model: str, state: str, weeks: _Weeks, holds: Flags, read: Flags, seed: int) -> _Cell:
    """Describe the weeks in which a state holds, among those in which its model is read."""
    read = read & ~np.isnan(weeks.published)
    counted = holds & read
    owned = np.where(read, weeks.traded, np.nan)
    earned = owned[holds & ~np.isnan(owned)]
    path = np.cumprod(np.concatenate(([1.0], 1.0 + earned)))
    return _Cell(
        model=model,
        state=state,
        weeks=weeks.fridays[read],
        holds=counted,
        owned=owned,
        share=float(counted.sum() / max(1, read.sum())),
        published=float(np.prod(1.0 + weeks.published[counted])) if counted.any() else None,
        traded=state_statistics(owned, holds, seed=seed, rows_a_year=WEEKS_A_YEAR),
        positive=float((earned > 0.0).mean()) if len(earned) else None,
        max_drawdown=float((path / np.maximum.accumulate(path)).min()) - 1.0 if len(earned) else None,
    )


def _weeks(history: History, equity: str) -> _Weeks:
    closes, dates = history.closes(equity), history.dates
    finished = np.flatnonzero(last_of_week(history.panel)[history.panel.start :])
    fridays, published = week_after(dates, closes)
    traded = traded_week(dates, closes)[1]
    row_fridays = dates[finished] + (4 - (dates[finished].astype(np.int64) + 3) % 7).astype("timedelta64[D]")
    place = np.searchsorted(fridays, row_fridays)
    over = np.isin(fridays[place] + np.timedelta64(7, "D"), row_fridays)
    return _Weeks(fridays[place], finished, np.where(over, published[place], np.nan), traded[place])


def _table(cells: list[_Cell]) -> pl.DataFrame:
    rows = [
        {
            "model": cell.model,
            "state": cell.state,
            "first": _day(cell.weeks, 0),
            "last": _day(cell.weeks, -1),
            "weeks": int(cell.holds.sum()),
            "share": cell.share,
            "growth_published": cell.published,
            "growth": cell.traded.growth,
            "growth_low": cell.traded.growth_low,
            "growth_high": cell.traded.growth_high,
            "ann_return": cell.traded.mean,
            "low": cell.traded.mean_low,
            "high": cell.traded.mean_high,
            "ann_vol": cell.traded.volatility,
            "positive": cell.positive,
            "max_drawdown": cell.max_drawdown,
            "n": cell.traded.n,
            "episodes": cell.traded.episodes,
            "p_value": cell.traded.p_value,
            "null_p_value": cell.traded.null_p_value,
        }
        for cell in cells
    ]
    return with_adjusted_p_values(pl.DataFrame(rows, infer_schema_length=None))


def _day(days: NDArray[np.datetime64], place: int) -> date | None:
    return days[place].item() if len(days) else None


def _forward_table(cells: list[_Cell], weeks: _Weeks, seed: int) -> pl.DataFrame:
    """Returns over some weeks after each score, from the close at which it can be traded."""
    found: list[tuple[Mapping[str, Any], EventStatistics]] = []
    for horizon in HORIZONS:
        forward = _compounded(weeks.traded, horizon)
        for cell in cells:
            owned = np.where(np.isnan(cell.owned), np.nan, forward)
            label = {"score": cell.state, "horizon_weeks": horizon}
            found.append((label, event_statistics(owned, cell.holds, horizon=horizon, seed=seed)))
    return event_table(found)


def _compounded(returns: Floats, rows: int) -> Floats:
    """Returns of ``rows`` rows in a row, the row's own first; NaN where one is missing."""
    result = np.full(len(returns), np.nan)
    if len(returns) >= rows:
        windows = np.lib.stride_tricks.sliding_window_view(1.0 + returns, rows)
        result[: len(windows)] = windows.prod(axis=1) - 1.0
    return result


def _figures(cell: _Cell, parameters: CreditSpreadModelParameters) -> list[Figure]:
    if cell.model not in {"hy_oas", "cdx"} or not len(cell.weeks):
        return []
    table = f"credit_spread_model.{cell.model}"
    series = parameters.high_yield if cell.model == "hy_oas" else parameters.cdx
    first, last = cell.weeks[[0, -1]].tolist()
    since = (
        f"{series} is read from the week of {first} on, after {parameters.warmup_weeks} weekly closes, to the week "
        f"of {last}"
    )
    figures = []
    if cell.state == "favorable":
        figures.append(Figure(f"{table}.since", reproduced=first.year, n=len(cell.weeks), reason=since))
    traded = cell.traded
    return [
        *figures,
        Figure(
            f"{table}.{cell.state}",
            reproduced=cell.published,
            tradable=traded.growth,
            low=traded.growth_low,
            high=traded.growth_high,
            n=traded.n,
            episodes=traded.episodes,
            reason=f"{since}; the document earns from Friday's close on, before Friday's spread is published; traded, "
            "a week's state earns from the first close of the next week",
        ),
    ]


def _notes(growth: list[_Cell], parameters: CreditSpreadModelParameters) -> tuple[str, ...]:
    notes = [
        "as published, a week's state earns from Friday's close on, although Friday's spread is published on the next "
        "morning; traded, it earns from the first close of the next week to that of the week after",
        f"growth is that of 1 held in {parameters.equity} in the weeks of a state and in nothing in all others; its "
        "interval is over histories of this length",
    ]
    quoted = {cell.state: cell for cell in growth if cell.model == "cdx"}
    removed = {cell.state: cell for cell in growth if cell.model == "cdx without rolls"}
    if removed:
        notes.append(
            "CDX is the on-the-run quote, whose rolls in March and September look like news: with them 1 grows to "
            f"{_pair(quoted)} while favorable / unfavorable, without them to {_pair(removed)}"
        )
    return tuple(notes)


def _pair(cells: Mapping[str, _Cell]) -> str:
    grown = (cells[state].traded.growth for state in ("favorable", "unfavorable"))
    return " / ".join("nothing" if value is None else f"{value:.2f}" for value in grown)


STUDY = Study(
    name="credit_spread_model",
    title="Growth of one dollar by state of each credit model, and the S&P 500 by combined score",
    source=SOURCE,
    parameters=CreditSpreadModelParameters,
    series=lambda parameters: (parameters.equity,),
    optional=lambda parameters: (parameters.high_yield + NEXT_MORNING, parameters.cdx + NEXT_MORNING),
    compute=run,
    answers=("credit_spread_model.hy_oas", "credit_spread_model.cdx"),
    sample=Sample(),
)
