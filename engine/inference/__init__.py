"""What a number is worth: how a winner fares against the number of trials that it was chosen from."""

from engine.inference.deflated_sharpe import DeflatedSharpe, deflated_sharpe
from engine.inference.overfitting import Overfitting, probability_of_overfitting
from engine.inference.superior_ability import SuperiorAbility, superior_predictive_ability
from engine.inference.walk_forward import WalkForward, walk_forward

__all__ = [
    "DeflatedSharpe",
    "Overfitting",
    "SuperiorAbility",
    "WalkForward",
    "deflated_sharpe",
    "probability_of_overfitting",
    "superior_predictive_ability",
    "walk_forward",
]
