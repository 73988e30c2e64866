"""What a strategy is: data that the panel supplies, rules that turn it into a posture, and what each posture holds.

The way from prices to a position has three steps, each a plain function:

1. *Signals.* A signal is a function ``f(panel, **parameters) -> uint16[rows]``: for each session, the conditions that
hold
   at its close, one bit a condition. A condition that is undefined (warm-up, missing data) is not met. The names in the
   function's signature are the parameters it depends on, so a sweep evaluates it once for each distinct value of those
   and never once for each combination. The signals of a strategy use different bits; a session's *code* is their union.
2. *Rule.* A compiled function ``decide(rule, state, held_return, code) -> state`` run at each close t. Its new state
   is what is wanted from the next close on. The low four bits of a state are its posture; the others are the rule's
   memory. ``held_return`` is what the present holding has earned since its fill, gross of costs, at close t.
3. *Target weights.* A function ``f(**parameters) -> float64[postures, legs]``: fractions of equity in each leg.

Fills, costs, rebalancing and metrics belong to the sweep, which treats all strategies alike: the state decided at
close t is traded at close t+1.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from engine.strategies.parameters import Parameters

__all__ = ["POSTURE_MASK", "Ambiguity", "Codes", "Signal", "Strategy", "depends_on"]

POSTURE_MASK = 15
"""The bits of a rule's state that name the posture."""

Codes = NDArray[np.uint16]
"""Conditions met at each close, one bit a condition."""

Signal = Callable[..., Codes]
"""``f(panel, **parameters)`` to the codes of every row of the panel."""


class Ambiguity(NamedTuple):
    """A sentence of a document that can be read in more than one way, and how both readings are offered."""

    text: str
    readings: Mapping[str, str]
    chosen: str
    parameter: str


@dataclass(frozen=True)
class Strategy:
    """One strategy or model of the documents.

    Attributes
    ----------
    name
        As in ``[strategy] name`` of a grid, and the module's name.
    title, source
        What it is called, and the document and section it comes from.
    parameters
        Model of everything that may be set.
    inputs
        Series that its signals read.
    legs
        Series that are traded, in the order of the columns of the target weights.
    signals
        See the module's docstring.
    rule
        A named tuple of numbers, each a parameter of the same name, with the compiled ``decide`` as its attribute.
    target_weights
        Function of parameters to float64 (postures, legs); posture 0 holds nothing.
    always
        The posture that is held throughout by the benchmark "always on".
    feasible
        Function of parameters that is false for combinations without meaning (a fast average slower than the slow one).
    hindsight
        Function of parameters to a sentence that says what a result owes to knowledge that nobody had at the time, or
        None. The sentence stands beside every such result.
    ambiguities
        Where the documents can be read in two ways.
    """

    name: str
    title: str
    source: str
    parameters: type[Parameters]
    inputs: tuple[str, ...]
    legs: tuple[str, ...]
    signals: tuple[Signal, ...]
    rule: type[Any]
    target_weights: Callable[..., NDArray[np.float64]]
    always: int = 1
    feasible: Callable[..., bool] | None = None
    hindsight: Callable[..., str | None] | None = None
    ambiguities: tuple[Ambiguity, ...] = field(default_factory=tuple)

    @property
    def series(self) -> tuple[str, ...]:
        """Every series that is read or traded, without repetition, in a fixed order."""
        return tuple(dict.fromkeys((*self.inputs, *self.legs)))


def depends_on(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the parameters that ``function`` names in its signature, the panel apart."""
    return tuple(name for name in inspect.signature(function).parameters if name != "panel")


def evaluate_signal(signal: Signal, panel: Panel, values: Mapping[str, Any]) -> Codes:
    """Evaluate one signal with the values of the parameters it names, over the sample of the panel."""
    codes = signal(panel, **{name: values[name] for name in depends_on(signal)})
    return np.ascontiguousarray(codes[panel.start :], dtype=np.uint16)
