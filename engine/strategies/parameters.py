"""What every strategy may be told, beside what is its own."""

from typing import Literal

from engine.parameters import ParameterModel, parameter

__all__ = ["Parameters"]


class Parameters(ParameterModel):
    """Base of every strategy's parameters.

    Attributes
    ----------
    rebalance
        ``"daily"`` trades the legs back to their target weights at every close while a position is held; ``"entry"``
        fixes the holdings at the fill and lets them run to the exit.
    """

    rebalance: Literal["daily", "entry"] = parameter(
        "daily",
        unit="choice",
        meaning="when the legs are traded back to their target weights while a position is held",
        source="credit stress strategies, part 1A",
    )
