"""What the market does by VIX regime, by VIX floor and by the score of both: same-day as published, and traded.

Source: credit stress strategies, part 1B. The document takes the returns of the very days on which the regime holds,
and a regime is known at a day's close only. Traded, the regime of close t owns the return from close t+1 to close t+2.
Days on which the regime cannot be computed yet count as normal, as in the document.
"""

import numpy as np
from numpy.typing import NDArray

from engine.parameters import parameter
from engine.studies.history import History
from engine.studies.state_returns import StateReturns, returns_by_state, state_frame
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.vix_trend import SOURCE, VixTrendStudyParameters, rising_floor, trending

__all__ = ["STUDY", "VixReturnsParameters"]

Flags = NDArray[np.bool_]

KEY = "vix.returns_by_regime"
REASON = (
    "the document credits the regime with the return of the very day whose close reveals it, which looks ahead; "
    "traded, a regime known at close t owns the return from close t+1 to close t+2"
)
COUNT_REASON = "a count of days, and the share it is of the sample; nothing to trade"
NOTE = "same-day columns look ahead: the regime of a day is known at that day's close, when its return is over"


class VixReturnsParameters(VixTrendStudyParameters):
    """The regime's definition, and the seed of the intervals."""

    seed: int = parameter(0, ge=0, unit="number", meaning="seed of the bootstrap", source="this engine")


def run(history: History, parameters: VixReturnsParameters) -> StudyResult:
    """Describe the market's returns by regime, by floor and by score."""
    closes = history.closes(parameters.equity)
    regime, floor = trending(history, parameters), rising_floor(history, parameters)
    score = regime.astype(np.int64) + floor
    states: dict[str, dict[str, Flags]] = {
        KEY: {"trending_up": regime, "normal": ~regime},
        "vix.returns_by_floor": {"rising": floor, "not_rising": ~floor},
        "vix.returns_by_score": {str(value): score == value for value in range(3)},
    }
    found = {key: returns_by_state(closes, table, seed=parameters.seed) for key, table in states.items()}
    share = float(np.mean(regime))
    figures = [figure for name, returns in found[KEY].items() for figure in _figures(name, returns)]
    figures.append(Figure(f"{KEY}.trending_up.pct_of_days", reproduced=share, n=len(regime), reason=COUNT_REASON))
    return StudyResult({key: state_frame(table) for key, table in found.items()}, tuple(figures), (NOTE,))


def _figures(name: str, returns: StateReturns) -> list[Figure]:
    traded = returns.traded
    return [
        Figure(
            f"{KEY}.{name}.ann_return",
            reproduced=returns.mean,
            tradable=traded.mean,
            low=traded.mean_low,
            high=traded.mean_high,
            n=traded.n,
            episodes=traded.episodes,
            reason=REASON,
        ),
        Figure(
            f"{KEY}.{name}.ann_vol",
            reproduced=returns.volatility,
            tradable=traded.volatility,
            low=traded.volatility_low,
            high=traded.volatility_high,
            n=traded.n,
            episodes=traded.episodes,
            reason=REASON,
        ),
        Figure(
            f"{KEY}.{name}.sharpe",
            reproduced=_ratio(returns.mean, returns.volatility),
            tradable=traded.sharpe,
            low=traded.sharpe_low,
            high=traded.sharpe_high,
            n=traded.n,
            episodes=traded.episodes,
            reason=REASON,
        ),
        Figure(f"{KEY}.{name}.days", reproduced=returns.days, n=returns.days, reason=COUNT_REASON),
    ]


def _ratio(mean: float | None, volatility: float | None) -> float | None:
    """What the document calls Sharpe, here of annualised means."""
    return mean / volatility if mean is not None and volatility else None


STUDY = Study(
    name="vix_returns",
    title="What the market does by VIX regime, floor and score",
    source=SOURCE,
    parameters=VixReturnsParameters,
    series=lambda parameters: (parameters.volatility, parameters.equity),
    compute=run,
    answers=(KEY,),
)
