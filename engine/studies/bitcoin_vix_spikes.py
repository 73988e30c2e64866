"""Bitcoin on the days on which VIX jumps, and in the month after.

Source: credit stress strategies, part 3. A jump is a rise of VIX by more than 15% in a session. *As published*, the
return is bitcoin's own of that calendar day, most of which is over when the jump is known; and the "30 days forward"
are 22 calendar days that begin with the jump's own day, at least half of them present. *Tradable*, bitcoin is bought at
the bar of the next calendar day: the day's return is that of the bar after, the month's that of 30 calendar days.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import EventStatistics, event_statistics, wilson_interval
from engine.parameters import parameter, same_parameter
from engine.strategies.bitcoin_hedge import BitcoinHedgeParameters, vix_jumps
from engine.studies.errors import StudyError
from engine.studies.event_tables import EventStudyParameters, event_figures, event_table
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import traded_calendar_days, window_from_signal_day
from kernels import rate_of_change

__all__ = ["STUDY", "BitcoinVixSpikesParameters"]

Floats = NDArray[np.float64]

SOURCE = "credit stress strategies, part 3"
DAY_REASON = (
    "the document counts bitcoin's return of the very day on which VIX jumps, most of which is over when the jump is "
    "known; traded, bitcoin is bought at the next day's bar and the day after that one counts"
)
MONTH_REASON = (
    "what the document calls 30 days forward are 22 calendar days that begin with the jump's own day, so that its move "
    "is counted in; traded, bitcoin is bought at the next day's bar and held for 30 calendar days"
)


class BitcoinVixSpikesParameters(EventStudyParameters):
    """When VIX jumps, and how far bitcoin is followed."""

    bitcoin: str = parameter("BTC-USD", unit="series", meaning="bitcoin, on its own calendar", source=SOURCE)
    volatility: str = parameter("VIX", unit="series", meaning="what jumps", source=SOURCE)
    vix_jump: float = same_parameter(BitcoinHedgeParameters, "vix_jump")
    published_days: int = parameter(
        22, ge=2, unit="calendar days", meaning="length of what the document calls 30 days forward", source=SOURCE
    )
    horizon: int = parameter(30, ge=1, unit="calendar days", meaning="how long the month is traded", source=SOURCE)


def run(history: History, parameters: BitcoinVixSpikesParameters) -> StudyResult:
    """Find the jumps and follow bitcoin on its own calendar.

    Raises
    ------
    StudyError
        Bitcoin has no return on any day of a jump.
    """
    jump = history.inside(vix_jumps(history.panel_with(VIX=parameters.volatility), parameters.vix_jump).met)
    days, bars = history.own_calendar(parameters.bitcoin)
    returns = rate_of_change(bars, 1)
    events = np.isin(days, history.dates[jump]) & ~np.isnan(returns)
    if not events.any():
        message = (
            f"{parameters.bitcoin} has no return on a day on which {parameters.volatility} rises by more than "
            f"{parameters.vix_jump:.0%} in {history.sample.first}..{history.sample.last}: choose a longer sample or a "
            "smaller vix_jump"
        )
        raise StudyError(message)
    window = window_from_signal_day(returns, parameters.published_days, parameters.published_days // 2)
    traded_day = traded_calendar_days(days, days, bars, 1)
    traded_month = traded_calendar_days(days, days, bars, parameters.horizon)
    day = event_statistics(traded_day, events, horizon=1, seed=parameters.seed)
    month = event_statistics(traded_month, events, horizon=parameters.horizon, seed=parameters.seed)
    spikes = pl.DataFrame(
        {
            "date": days[events],
            "same_day": returns[events],
            "window_from_signal_day": window[events],
            "traded_day": traded_day[events],
            "traded_month": traded_month[events],
        },
        nan_to_null=True,
    )
    tables = {
        "btc.vix_spike_days": spikes,
        "btc.vix_spike_days.traded": event_table([({"horizon": 1}, day), ({"horizon": parameters.horizon}, month)]),
    }
    table = "btc.vix_spike_days"
    figures = (
        *event_figures({name: f"{table}.{name}" for name in ("n", "mean", "median")}, returns[events], day, DAY_REASON),
        _negative_figure(f"{table}.pct_negative", returns[events], traded_day[events], day),
        *event_figures(
            {name: f"{table}.fwd30_{name}" for name in ("mean", "median", "positive")},
            window[events],
            month,
            MONTH_REASON,
        ),
    )
    notes = (
        "the document's return of the day is over, but for the evening, when the jump is known; and what it calls 30 "
        f"days forward are {parameters.published_days} calendar days that begin with the jump's own",
    )
    return StudyResult(tables, figures, notes)


def _negative_figure(key: str, same_day: Floats, traded: Floats, day: EventStatistics) -> Figure:
    """The share of losses, with Wilson's interval on the effective number of days."""
    known = traded[~np.isnan(traded)]
    share = float((known < 0.0).mean()) if known.size else None
    interval = None if share is None else wilson_interval(share * day.effective_n, day.effective_n)
    low, high = interval or (None, None)
    return Figure(
        key,
        reproduced=float((same_day < 0.0).mean()),
        tradable=share,
        low=low,
        high=high,
        n=day.n,
        episodes=day.episodes,
        reason=DAY_REASON,
    )


STUDY = Study(
    name="bitcoin_vix_spikes",
    title="Bitcoin on the days on which VIX jumps, and in the month after",
    source=SOURCE,
    parameters=BitcoinVixSpikesParameters,
    series=lambda parameters: (parameters.bitcoin, parameters.volatility),
    compute=run,
    answers=("btc.vix_spike_days",),
)
