"""Which episode does today look like, and which week of it: the distance of the state of the market to each.

Source: credit stress strategies, part 2, which asks "which analog fits the current setup". Its answer, early 2022, is a
judgement; here the state of a day is a vector of what the document looks at, each variable in standard deviations over
the days up to the one asked about, and the distance of two days is the root of the mean squared difference. A distance
means little by itself, so beside it stands the share of all earlier days that are as close: where that is large, the
parallel is one of many.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.parameters import parameter
from engine.strategies import pair
from engine.studies.errors import StudyError
from engine.studies.history import History
from engine.studies.study import Study, StudyParameters, StudyResult, Symbols
from engine.studies.timing import ONE_MONTH, THREE_MONTHS, traded_forward
from kernels import rate_of_change, rolling_drawdown, rolling_mean

__all__ = ["STUDY", "ParallelsParameters", "state_vectors"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 2"

WEEK = 5


class ParallelsParameters(StudyParameters):
    """What the state of a day is made of, and which day is asked about."""

    equity: str = parameter("SPY", unit="series", meaning="the market", source=SOURCE)
    growth: str = parameter("QQQ", unit="series", meaning="growth stocks", source=SOURCE)
    financials: str = parameter("XLF", unit="series", meaning="financial sector", source=SOURCE)
    credit: str = parameter("HYG", unit="series", meaning="high-yield bonds", source=SOURCE)
    volatility: str = parameter("VIX", unit="series", meaning="volatility index", source=SOURCE)
    basket: Symbols = parameter(pair.BASKET, unit="series", meaning="tangible-asset sectors", source=SOURCE)
    software: str = parameter("IGV", unit="series", meaning="software", source=SOURCE)
    window: int = parameter(
        60, ge=2, unit="sessions", meaning="span of drawdowns and of relative returns", source="this engine"
    )
    vix_fast: int = parameter(20, ge=1, unit="sessions", meaning="length of VIX's fast average", source=SOURCE)
    vix_slow: int = parameter(50, ge=2, unit="sessions", meaning="length of VIX's slow average", source=SOURCE)
    day: date | None = parameter(
        None, unit="day", meaning="the day that is asked about; none: the last of the sample", source="this engine"
    )
    apart: int = parameter(
        63, ge=1, unit="sessions", meaning="days nearer in time than this are no parallels", source="this engine"
    )


def _series(parameters: ParallelsParameters) -> tuple[str, ...]:
    plain = (parameters.equity, parameters.growth, parameters.financials, parameters.credit, parameters.volatility)
    return (*plain, *parameters.basket, parameters.software)


def state_vectors(history: History, parameters: ParallelsParameters) -> Mapping[str, Floats]:
    """The variables of the state at each close of the sample; NaN until their windows are full."""
    panel, window = history.panel, parameters.window

    def gained(series: str) -> Floats:
        return panel.indicator(rate_of_change, series, window)

    basket = np.mean([gained(series) for series in parameters.basket], axis=0)
    fast, slow = (
        panel.indicator(rolling_mean, parameters.volatility, n) for n in (parameters.vix_fast, parameters.vix_slow)
    )
    variables = {
        "vix": panel.values(parameters.volatility),
        "vix_trend": fast / slow - 1.0,
        "credit_drawdown": panel.indicator(rolling_drawdown, parameters.credit, window),
        "equity_drawdown": panel.indicator(rolling_drawdown, parameters.equity, window),
        "financials_less_equity": gained(parameters.financials) - gained(parameters.equity),
        "growth_less_equity": gained(parameters.growth) - gained(parameters.equity),
        "basket_less_software": basket - gained(parameters.software),
    }
    return {name: history.inside(values) for name, values in variables.items()}


def run(history: History, parameters: ParallelsParameters) -> StudyResult:
    """Measure the distance of one day's state to each week of each earlier episode."""
    today = _place(history, parameters.day)
    variables = state_vectors(history, parameters)
    raw = np.column_stack(list(variables.values()))[: today + 1]
    if np.isnan(raw[today]).any():
        message = (
            f"the state of {history.dates[today]} is not known: a variable is missing, or its window is not full yet"
        )
        raise StudyError(message)
    centre, scale = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
    states = (raw - centre) / np.where(scale > 0.0, scale, 1.0)
    distances: Floats = np.sqrt(np.mean((states - states[today]) ** 2, axis=1))
    earlier = distances[: max(0, today - parameters.apart + 1)]
    weeks = _weeks(history, earlier)
    closest = {name: int(places[np.nanargmin(earlier[places])]) for name, places in weeks.items()}
    tables = {
        "parallels.analogues": _analogues(history, parameters, earlier, weeks, closest),
        "parallels.distance_by_week": _by_week(earlier, weeks),
        "parallels.state": _states(variables, states, today, closest),
    }
    return StudyResult(tables, (), (_answer(history, today, earlier, weeks, closest),))


def _place(history: History, day: date | None) -> int:
    """Row of the last session on or before a day."""
    if day is None:
        return len(history.dates) - 1
    place = int(np.searchsorted(history.dates, np.datetime64(day), "right")) - 1
    if place < 0:
        message = f"day {day} lies before the sample, which begins on {history.sample.first}: choose a later one"
        raise StudyError(message)
    return place


def _weeks(history: History, earlier: Floats) -> dict[str, NDArray[np.intp]]:
    """First rows of the weeks of each episode that lie among the earlier days and have a known state."""
    found = {}
    for period in history.periods:
        places = np.flatnonzero(period.covers(history.dates))[::WEEK]
        places = places[places < len(earlier)]
        if len(places) and not np.all(np.isnan(earlier[places])):
            found[period.name] = places
    return found


def _analogues(
    history: History,
    parameters: ParallelsParameters,
    earlier: Floats,
    weeks: Mapping[str, NDArray[np.intp]],
    closest: Mapping[str, int],
) -> pl.DataFrame:
    """One row an episode, the closest first: its closest week, how special that is, and what came after it."""
    closes = history.closes(parameters.equity)
    month, quarter = (traded_forward(closes, horizon) for horizon in (ONE_MONTH, THREE_MONTHS))
    known = earlier[~np.isnan(earlier)]
    rows = [
        {
            "episode": name,
            "week": int(np.flatnonzero(weeks[name] == place)[0]),
            "weeks": len(weeks[name]),
            "day": history.dates[place].item(),
            "distance": float(earlier[place]),
            "share_of_days_as_close": float(np.mean(known <= earlier[place])),
            "equity_1m_after": float(month[place]),
            "equity_3m_after": float(quarter[place]),
        }
        for name, place in closest.items()
    ]
    schema = {
        "episode": pl.String,
        "week": pl.Int64,
        "weeks": pl.Int64,
        "day": pl.Date,
        "distance": pl.Float64,
        "share_of_days_as_close": pl.Float64,
        "equity_1m_after": pl.Float64,
        "equity_3m_after": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema).sort("distance", "episode").fill_nan(None)


def _by_week(earlier: Floats, weeks: Mapping[str, NDArray[np.intp]]) -> pl.DataFrame:
    """Distance by week into the episode, a column an episode; null after its end."""
    longest = max((len(places) for places in weeks.values()), default=0)
    columns = {
        name: pl.Series(name, [*earlier[places], *[np.nan] * (longest - len(places))], pl.Float64).fill_nan(None)
        for name, places in weeks.items()
    }
    return pl.DataFrame({"week": pl.Series(range(longest), dtype=pl.Int64), **columns})


def _states(variables: Mapping[str, Floats], states: Floats, today: int, closest: Mapping[str, int]) -> pl.DataFrame:
    """Today's variables, and the same in standard deviations for today and for each closest week."""
    rows = [
        {
            "variable": name,
            "value": float(values[today]),
            "today": float(states[today, column]),
            **{episode: float(states[place, column]) for episode, place in closest.items()},
        }
        for column, (name, values) in enumerate(variables.items())
    ]
    return pl.DataFrame(rows).fill_nan(None)


def _answer(
    history: History,
    today: int,
    earlier: Floats,
    weeks: Mapping[str, NDArray[np.intp]],
    closest: Mapping[str, int],
) -> str:
    if not closest:
        return f"no episode lies before {history.dates[today]} in this sample"
    nearest = min(closest, key=lambda name: (earlier[closest[name]], name))
    place = closest[nearest]
    share = float(np.mean(earlier[~np.isnan(earlier)] <= earlier[place]))
    week = int(np.flatnonzero(weeks[nearest] == place)[0])
    return (
        f"{history.dates[today]} is closest to week {week} of {nearest}, which began on {history.dates[place]}; "
        f"{share:.1%} of all earlier days are as close, in an episode or not"
    )


STUDY = Study(
    name="historical_parallels",
    title="Which episode does a day look like, and which week of it",
    source=SOURCE,
    parameters=ParallelsParameters,
    series=_series,
    compute=run,
)
