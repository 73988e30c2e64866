"""What the winner of a sweep is worth: the tests of `engine.inference` on the trials it was chosen from.

A trial here is a combination that holds different positions from all others; combinations that hold the same
positions are one trial. All tests look at daily returns net of costs. The trials come from what the sweep remembers of
them: all that differ, or a random sample of them where there are too many (`engine.sweep.statistics`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.inference import (
    DeflatedSharpe,
    Overfitting,
    SuperiorAbility,
    WalkForward,
    deflated_sharpe,
    probability_of_overfitting,
    superior_predictive_ability,
    walk_forward,
)
from engine.sweep.accounting import account
from engine.sweep.plan import Plan
from engine.sweep.rules import posture_paths
from engine.sweep.run import SweepRun

__all__ = ["Scrutiny", "scrutinise"]

MOST_TRIALS = 2000
"""Trials compared at the most; of more, this many evenly spread ones, and always the winner."""


@dataclass(frozen=True)
class Scrutiny:
    """Tests of a winner; each is None where the data do not allow it.

    Attributes
    ----------
    combination
        The winner.
    deflated_sharpe, overfitting, superior_ability, walk_forward
        See `engine.inference`.
    compared
        Combinations whose returns were compared, each standing for one trial.
    """

    combination: int
    deflated_sharpe: DeflatedSharpe | None
    overfitting: Overfitting | None
    superior_ability: SuperiorAbility | None
    walk_forward: WalkForward | None
    compared: NDArray[np.int64]


def scrutinise(sweep: SweepRun, winner: int, *, trials: int) -> Scrutiny:
    """Test the winner of a sweep.

    Parameters
    ----------
    winner
        The combination that is looked at.
    trials
        Number of trials that it was chosen from, those of earlier sweeps of the strategy included.
    """
    distinct = sweep.statistics.distinct.settle()
    compared = _spread(np.sort(distinct.combinations), winner)
    returns = _net_returns(sweep.plan, compared)
    return Scrutiny(
        combination=winner,
        deflated_sharpe=deflated_sharpe(
            returns[:, int(np.searchsorted(compared, winner))],
            distinct.values[np.argsort(distinct.combinations)],
            trials=trials,
        ),
        overfitting=probability_of_overfitting(returns),
        superior_ability=superior_predictive_ability(returns),
        walk_forward=walk_forward(returns, sweep.plan.market.dates),
        compared=compared,
    )


def _spread(distinct: NDArray[np.int64], winner: int) -> NDArray[np.int64]:
    if len(distinct) <= MOST_TRIALS:
        return np.union1d(distinct, [winner])
    places = np.linspace(0, len(distinct) - 1, MOST_TRIALS).round().astype(np.int64)
    return np.union1d(distinct[places], [winner])


def _net_returns(plan: Plan, combinations: NDArray[np.int64]) -> NDArray[np.float64]:
    rows = plan.rows(combinations)
    returns, _ = account(plan.market, posture_paths(plan, combinations), rows.weights, rows.daily)
    return returns
