"""The market in the month after each level of the capitulation score.

Source: credit stress strategies, part 4. *As published*, the month after a signal is the 22 sessions that begin with
the signal's own day, at least half of them present: its return counts, though it is over when the score is known.
*Tradable*, the market is bought at the next close and held for 21 sessions.
"""

import numpy as np

from engine.inference import event_statistics
from engine.parameters import parameter
from engine.strategies.capitulation import capitulation_scores
from engine.studies.capitulation_distribution import (
    CapitulationDistributionParameters,
    capitulation_panel,
    score_levels,
)
from engine.studies.event_tables import EventStudyParameters, event_figures, event_table
from engine.studies.history import History
from engine.studies.study import Figure, Study, StudyResult
from engine.studies.timing import ONE_MONTH, THREE_MONTHS, traded_forward, window_from_signal_day

__all__ = ["STUDY", "CapitulationReturnsParameters"]

SOURCE = "credit stress strategies, part 4"
REASON = (
    "what the document calls one month forward are 22 sessions that begin with the signal's own day, whose return is "
    "over when the score is known; traded, 21 sessions run from the next close"
)


class CapitulationReturnsParameters(CapitulationDistributionParameters, EventStudyParameters):
    """What the score is made of, and how long the market is followed."""

    published_sessions: int = parameter(
        22, ge=2, unit="sessions", meaning="length of what the document calls one month forward", source=SOURCE
    )
    horizon: int = parameter(ONE_MONTH, ge=1, unit="sessions", meaning="how long the month is traded", source=SOURCE)


def run(history: History, parameters: CapitulationReturnsParameters) -> StudyResult:
    """Follow the market from every day with a score of at least each level."""
    scores = history.inside(capitulation_scores(capitulation_panel(history, parameters), parameters.model_dump()))
    published = window_from_signal_day(
        history.returns(parameters.equity), parameters.published_sessions, parameters.published_sessions // 2
    )
    closes = history.closes(parameters.equity)
    traded = {horizon: traded_forward(closes, horizon) for horizon in (parameters.horizon, THREE_MONTHS)}
    rows = []
    figures: list[Figure] = []
    for level in score_levels(parameters)[1:]:
        days = scores >= level
        for horizon, returns in traded.items():
            rows.append(
                (
                    {"score_at_least": level, "horizon": horizon},
                    event_statistics(returns, days, horizon=horizon, seed=parameters.seed),
                )
            )
        month = rows[-len(traded)][1]
        key = f"capitulation.forward_1m.{level:g}"
        ids = {name: f"{key}.{name}" for name in ("n", "mean", "median", "positive")}
        figures.extend(event_figures(ids, published[days], month, REASON))
    every_day = np.ones(len(closes), np.bool_)
    for horizon, returns in traded.items():
        everything = event_statistics(returns, every_day, horizon=horizon, seed=parameters.seed)
        rows.append(({"score_at_least": 0.0, "horizon": horizon}, everything))
    notes = (
        "the document's month begins with the signal's own day, whose return is no part of the traded one; the rows of "
        "score 0 and more are every day of the sample",
    )
    return StudyResult({"capitulation.forward_1m": event_table(rows)}, tuple(figures), notes)


STUDY = Study(
    name="capitulation_returns",
    title="The market in the month after each level of the capitulation score",
    source=SOURCE,
    parameters=CapitulationReturnsParameters,
    series=lambda parameters: (parameters.volatility, parameters.credit, parameters.equity, parameters.financials),
    compute=run,
    answers=("capitulation.forward_1m",),
)
