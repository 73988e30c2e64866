"""Returns by state, as published and as traded, with what they are worth: the shape of several tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.inference import StateStatistics, state_statistics
from engine.metrics import SESSIONS_A_YEAR
from engine.studies.event_tables import with_adjusted_p_values
from engine.studies.timing import same_day, traded_day

__all__ = ["StateReturns", "returns_by_state", "state_frame"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class StateReturns:
    """What a market did in one state.

    Attributes
    ----------
    days
        Days of the state with a return of their own.
    mean, volatility
        Of the returns of the days on which the state holds, as the document reads them, a year.
    traded
        Of the returns that the state owns when it is traded.
    """

    days: int
    mean: float | None
    volatility: float | None
    traded: StateStatistics


def returns_by_state(closes: Floats, states: Mapping[str, Flags], *, seed: int) -> dict[str, StateReturns]:
    """Describe the returns of a market in some states, same-day and traded.

    Parameters
    ----------
    closes
        Of the market, over the sample.
    states
        Days of each state, by name.
    seed
        Of the bootstrap.
    """
    own, owned = same_day(closes), traded_day(closes)
    found = {}
    for name, state in states.items():
        same = own[state & ~np.isnan(own)]
        found[name] = StateReturns(
            days=len(same),
            mean=float(np.mean(same)) * SESSIONS_A_YEAR if len(same) else None,
            volatility=float(np.std(same, ddof=1)) * SESSIONS_A_YEAR**0.5 if len(same) > 1 else None,
            traded=state_statistics(owned, state, seed=seed),
        )
    return found


def state_frame(found: Mapping[str, StateReturns]) -> pl.DataFrame:
    """Return states as a table, with adjusted p-values."""
    rows = [_row(name, returns) for name, returns in found.items()]
    return with_adjusted_p_values(pl.DataFrame(rows, infer_schema_length=None))


def _row(name: str, returns: StateReturns) -> dict[str, Any]:
    traded = returns.traded
    return {
        "state": name,
        "days": returns.days,
        "same_day_ann_return": returns.mean,
        "same_day_ann_vol": returns.volatility,
        "ann_return": traded.mean,
        "low": traded.mean_low,
        "high": traded.mean_high,
        "ann_vol": traded.volatility,
        "vol_low": traded.volatility_low,
        "vol_high": traded.volatility_high,
        "sharpe": traded.sharpe,
        "sharpe_low": traded.sharpe_low,
        "sharpe_high": traded.sharpe_high,
        "n": traded.n,
        "episodes": traded.episodes,
        "p_value": traded.p_value,
        "null_p_value": traded.null_p_value,
    }
