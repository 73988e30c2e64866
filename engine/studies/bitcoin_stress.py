"""Bitcoin in episodes of stress: what it returned, how far it fell, and how it moved with the market.

Source: credit stress strategies, part 3. Returns and drawdowns are those of bitcoin's own calendar of seven days. For
the correlation the document sets bitcoin's return of one calendar day beside the market's return of the same date, so
that on a Monday two days of bitcoin are left out and its bar ends some hours after the exchange's close; the table has
the correlation over the same span, from close to close, beside it.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.parameters import parameter
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyParameters, StudyResult
from engine.studies.timing import values_on
from kernels import drawdown, rate_of_change

__all__ = ["STUDY", "BitcoinStressParameters"]

Floats = NDArray[np.float64]

Row = Mapping[str, float | int | None]

SOURCE = "credit stress strategies, part 3"
DESCRIBES = "describes what prices did; nothing is decided on it, so there is no tradable form"
CORRELATION = (
    "bitcoin's return of one calendar day beside the market's of the same date: after a weekend one day stands beside "
    "three; the table has the correlation of whole spans beside it; it describes, and has no tradable form"
)
PUBLISHED = ("total_return", "max_drawdown", "corr_spy")
LEAST_RETURNS = 3
"""Two points always lie on a line."""


class BitcoinStressParameters(StudyParameters):
    """Bitcoin and the market."""

    bitcoin: str = parameter("BTC-USD", unit="series", meaning="bitcoin, on its own calendar", source=SOURCE)
    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)


def run(history: History, parameters: BitcoinStressParameters) -> StudyResult:
    """Describe each episode that bitcoin's history covers, and the whole sample."""
    days, bars = history.own_calendar(parameters.bitcoin)
    returns = {
        "corr_spy": values_on(days, rate_of_change(bars, 1), history.dates),
        "corr_same_span": rate_of_change(values_on(days, bars, history.dates), 1),
    }
    equity = history.returns(parameters.equity)
    covered = [
        period for period in history.periods if days[0] <= np.datetime64(period.first) and period.covers(days).any()
    ]
    rows = {
        period.name: _describe(
            bars[period.covers(days)],
            {name: values[period.covers(history.dates)] for name, values in returns.items()},
            equity[period.covers(history.dates)],
        )
        for period in covered
    }
    full = _describe(bars, returns, equity)
    figures = [
        *(_figure(f"btc.periods.{name}.{column}", row, column) for name, row in rows.items() for column in PUBLISHED),
        _figure("btc.periods.full_period_corr_spy", full, "corr_spy"),
        *_summary(rows),
    ]
    table = pl.DataFrame([{"period": name, **row} for name, row in {**rows, "full_period": full}.items()], strict=False)
    return StudyResult({"btc.periods": table}, tuple(figures))


def _describe(bars: Floats, returns: Mapping[str, Floats], equity: Floats) -> Row:
    """Return and drawdown over the bars, and the correlation of each kind of return with the market's."""
    changes = rate_of_change(bars, 1)[1:]
    return {
        "total_return": float(bars[-1] / bars[0]) - 1.0,
        "max_drawdown": float(drawdown(changes).min(initial=0.0)),
        **{name: _correlation(values, equity) for name, values in returns.items()},
        "spy_return": float(np.prod(1.0 + equity[~np.isnan(equity)])) - 1.0,
        "days": int(np.sum(~np.isnan(returns["corr_spy"] + equity))),
    }


def _correlation(x: Floats, y: Floats) -> float | None:
    both = ~np.isnan(x + y)
    if both.sum() < LEAST_RETURNS or np.ptp(x[both]) == 0.0 or np.ptp(y[both]) == 0.0:
        return None
    return float(np.corrcoef(x[both], y[both])[0, 1])


def _summary(rows: Mapping[str, Row]) -> Iterator[Figure]:
    """What the document says of all its episodes at once: the ends of its tables, and whether bitcoin fell harder."""
    if not rows:
        return
    for name, column in (("return_range", "total_return"), ("corr_spy_range", "corr_spy")):
        known = [float(value) for row in rows.values() if (value := row[column]) is not None]
        yield Figure(
            f"btc.summary.{name}",
            reproduced=(min(known), max(known)) if known else None,
            n=len(known),
            episodes=len(known),
            reason=f"the least and the greatest of all {len(known)} episodes; it describes, and has no tradable form",
        )
    yield Figure(
        "btc.summary.fell_harder_than_equities",
        reproduced=all((row["total_return"] or 0.0) < (row["spy_return"] or 0.0) for row in rows.values()),
        n=len(rows),
        episodes=len(rows),
        reason="bitcoin's return beside the market's, compounded over the same days; it describes, and has no tradable "
        "form",
    )


def _figure(key: str, row: Row, column: str) -> Figure:
    correlation = column == "corr_spy"
    return Figure(
        key,
        reproduced=row[column],
        n=int(row["days"] or 0) if correlation else None,
        reason=CORRELATION if correlation else DESCRIBES,
    )


STUDY = Study(
    name="bitcoin_stress",
    title="Bitcoin in episodes of stress",
    source=SOURCE,
    parameters=BitcoinStressParameters,
    series=lambda parameters: (parameters.bitcoin, parameters.equity),
    compute=run,
    answers=("btc.periods", "btc.summary"),
)
