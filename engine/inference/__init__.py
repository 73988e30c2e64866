"""What a number is worth: a winner against the number of its trials, an event against how seldom it happened."""

from engine.inference.block_bootstrap import (
    expanded_percentiles,
    optimal_block_length,
    percentile_interval,
    resampled_medians,
    resampled_sums,
)
from engine.inference.deflated_sharpe import DeflatedSharpe, deflated_sharpe
from engine.inference.episodes import Episodes, effective_observations, episodes
from engine.inference.event_statistics import EventStatistics, event_statistics
from engine.inference.falsification import Falsification, falsify
from engine.inference.multiple_testing import benjamini_hochberg
from engine.inference.overfitting import Overfitting, probability_of_overfitting
from engine.inference.random_entry import RandomEntry, random_entry_null
from engine.inference.standard_errors import hansen_hodrick, newey_west, richardson_smith
from engine.inference.state_statistics import StateStatistics, state_statistics
from engine.inference.superior_ability import SuperiorAbility, superior_predictive_ability
from engine.inference.walk_forward import WalkForward, walk_forward
from engine.inference.wilson import wilson_interval

__all__ = [
    "DeflatedSharpe",
    "Episodes",
    "EventStatistics",
    "Falsification",
    "Overfitting",
    "RandomEntry",
    "StateStatistics",
    "SuperiorAbility",
    "WalkForward",
    "benjamini_hochberg",
    "deflated_sharpe",
    "effective_observations",
    "episodes",
    "event_statistics",
    "expanded_percentiles",
    "falsify",
    "hansen_hodrick",
    "newey_west",
    "optimal_block_length",
    "percentile_interval",
    "probability_of_overfitting",
    "random_entry_null",
    "resampled_medians",
    "resampled_sums",
    "richardson_smith",
    "state_statistics",
    "superior_predictive_ability",
    "walk_forward",
    "wilson_interval",
]
