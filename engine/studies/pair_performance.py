"""The sector pair held throughout: over the whole sample and in each episode of stress.

Source: credit stress strategies, part 1A. The basket is the mean of its members' daily returns, so it is rebalanced at
every close; the pair is the basket's return less that of the short leg, compounded daily. These are descriptions of
what prices did: nothing is decided on them, and there is no tradable form.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import SESSIONS_A_YEAR
from engine.parameters import parameter
from engine.strategies import pair
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult, Symbols

__all__ = ["STUDY", "PairPerformanceParameters", "portfolio_returns"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 1A"
REASON = "describes what prices did; nothing is decided on it, so there is no tradable form"
SAMPLE_REASON = "the sessions of the exchange from the first to the last day of the sample"


class PairPerformanceParameters(StudyParameters):
    """The two legs and what they are compared with."""

    basket: Symbols = parameter(
        pair.BASKET, unit="series", meaning="members of the long leg, equally weighted every day", source=SOURCE
    )
    short: str = parameter("IGV", unit="series", meaning="the short leg", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)


def portfolio_returns(history: History, parameters: PairPerformanceParameters) -> dict[str, Floats]:
    """Daily returns of basket, short leg, pair and market; the first row of the sample has none."""
    basket = np.mean([history.returns(series) for series in parameters.basket], axis=0)
    short = history.returns(parameters.short)
    equity = history.returns(parameters.equity)
    return {"commodities": basket, "software": short, "pair": basket - short, "spy": equity}


def _performance(returns: Floats) -> dict[str, float | None]:
    """Total and annualised return, volatility and their ratio, of the returns there are; no ratio to no volatility."""
    earned = returns[~np.isnan(returns)]
    total = float(np.prod(1.0 + earned)) - 1.0
    annual = (1.0 + total) ** (SESSIONS_A_YEAR / len(earned)) - 1.0
    volatility = float(np.std(earned, ddof=1)) * SESSIONS_A_YEAR**0.5
    ratio = annual / volatility if volatility else None
    return {"total_return": total, "ann_return": annual, "ann_vol": volatility, "sharpe": ratio}


def run(history: History, parameters: PairPerformanceParameters) -> StudyResult:
    """Compound the daily returns over the sample and over each period, both ends included."""
    returns = portfolio_returns(history, parameters)
    full = {name: _performance(values) for name, values in returns.items()}
    periods = {
        period.name: {name: _compounded(values[period.covers(history.dates)]) for name, values in returns.items()}
        for period in history.periods
    }
    figures = [
        *_sample(history),
        *_figures("pair.full_period", full, int(np.sum(~np.isnan(returns["pair"])))),
        *_figures("pair.periods", periods, None),
    ]
    tables = {
        "pair.full_period": pl.DataFrame([{"portfolio": name, **row} for name, row in full.items()]),
        "pair.periods": pl.DataFrame([{"period": name, **row} for name, row in periods.items()]),
    }
    notes = ("what the document calls Sharpe is the annualised return over the annualised volatility",)
    return StudyResult(tables, tuple(figures), notes)


def _sample(history: History) -> tuple[Figure, ...]:
    values = {"first": history.sample.first, "last": history.sample.last, "trading_days": history.panel.sessions}
    return tuple(Figure(f"sample.{name}", reproduced=value, reason=SAMPLE_REASON) for name, value in values.items())


def _compounded(returns: Floats) -> float:
    """Return of some days, one after the other; a day without a return changes nothing."""
    return float(np.prod(1.0 + returns[~np.isnan(returns)])) - 1.0


def _figures(table: str, rows: Mapping[str, Mapping[str, float | None]], n: int | None) -> list[Figure]:
    return [
        Figure(f"{table}.{row}.{column}", reproduced=value, n=n, reason=REASON)
        for row, columns in rows.items()
        for column, value in columns.items()
    ]


STUDY = Study(
    name="pair_performance",
    title="Basket, software, their pair and the market: whole sample and episodes of stress",
    source=SOURCE,
    parameters=PairPerformanceParameters,
    series=lambda parameters: (*parameters.basket, parameters.short, parameters.equity),
    compute=run,
    answers=("sample", "pair.full_period", "pair.periods"),
)
