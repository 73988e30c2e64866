"""What a strategy is: what it looks at, a rule that turns this into a posture, and what each posture holds.

The way from prices to a position has three steps, each a plain function:

1. *Conditions*, see `engine.strategies.conditions`. The k-th condition of a strategy is bit k of a session's *code*,
   the conditions that are met at its close. A sweep reads a condition once for each distinct value of the parameters
   it depends on, never once for each combination.
2. *Rule.* A compiled function ``decide(rule, state, held_return, code) -> state`` that is run at each close t. Its new
   state is what is wanted from the next close on. The low four bits of a state are its posture; the others are the
   rule's memory. ``held_return`` is what the present holding has earned since its fill, gross of costs, at close t.
   The first state is 0. A rule that reads ``held_return`` may declare how, by an attribute ``stops``: posture to the
   name of one of its numbers. In such a posture it asks only whether the return is at or below that number, in all
   others it does not look. Its sweeps are then many times faster, with the same results.
3. *Target weights.* A function ``f(**parameters) -> float64[postures, legs]``: fractions of equity in each leg.
   Posture 0 is what is held before the first decision: nothing.

Fills, costs, rebalancing and metrics belong to the sweep, which treats all strategies alike: the state decided at
close t is traded at close t+1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.strategies.conditions import Condition, Reading
from engine.strategies.parameters import Parameters

__all__ = ["POSTURE_MASK", "Ambiguity", "InsightRule", "Strategy"]

POSTURE_MASK = 15
"""The bits of a rule's state that name the posture."""

MOST_CONDITIONS = 16
"""A code has sixteen bits."""


class Ambiguity(NamedTuple):
    """A sentence of a document that can be read in more than one way, and how both readings are offered."""

    parameter: str
    text: str
    readings: Mapping[str, str]
    chosen: str


@dataclass(frozen=True)
class InsightRule:
    """A testable claim of a document: what follows when some conditions hold. It moves no position by itself.

    Attributes
    ----------
    name, title
        ``title`` is the rule in a few words.
    conditions
        It fires at a close at which all are met; each is read by a condition of the strategy, too.
    claim
        What it says will follow.
    expected
        Sign of the excess return over cash that it claims.
    horizons
        Shortest and longest number of sessions that the claim is about; None where it names none.
    confidence
        The document's own, between 0 and 1.
    universe
        What it may be applied to.
    failure_modes
        How it may go wrong.
    """

    name: str
    title: str
    conditions: tuple[Callable[..., Reading], ...]
    claim: str
    expected: Literal["negative", "positive", "neutral"]
    horizons: tuple[int, int] | None
    confidence: float
    universe: tuple[str, ...]
    failure_modes: tuple[str, ...]


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
        Series that its conditions read.
    legs
        Series that are traded, in the order of the columns of the target weights.
    conditions
        What it looks at; the k-th is bit k of the code.
    rule
        A named tuple of numbers, each a parameter of the same name, with the compiled ``decide`` as its attribute. A
        parameter that takes one of several words arrives as the word's place among them, from 0.
    postures
        A name for each posture, in the order of the rows of the target weights.
    target_weights
        Function of parameters to float64 (postures, legs).
    always
        The posture that the benchmark "always on" holds throughout.
    feasible
        Function of parameters that is false for combinations without meaning (a fast average slower than the slow one).
    optional_inputs
        Series that are read under some parameters only. A panel holds those that the store has; a condition that asks
        for one that is absent says so.
    notes
        Function of the panel and of parameters to a sentence that must stand beside a result, or None: that a proxy
        stands in for a series, for example.
    hindsight
        Function of parameters to a sentence that says what a result owes to knowledge that nobody had at the time, or
        None. The sentence stands beside every such result.
    ambiguities
        Where the documents can be read in two ways.
    insight_rules
        What the document claims to follow when some of the conditions hold.
    stand_ins
        Parameters by which it can be read where the store lacks what its defaults read, the preferred first. It then
        reads something else than the document names, and deserves less confidence.
    """

    name: str
    title: str
    source: str
    parameters: type[Parameters]
    inputs: tuple[str, ...]
    legs: tuple[str, ...]
    conditions: tuple[Condition, ...]
    rule: type[Any]
    postures: tuple[str, ...]
    target_weights: Callable[..., NDArray[np.float64]]
    always: int = 1
    feasible: Callable[..., bool] | None = None
    optional_inputs: tuple[str, ...] = ()
    notes: Callable[..., str | None] | None = None
    hindsight: Callable[..., str | None] | None = None
    ambiguities: tuple[Ambiguity, ...] = field(default_factory=tuple)
    insight_rules: tuple[InsightRule, ...] = ()
    stand_ins: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no code can hold."""
        if len(self.conditions) > MOST_CONDITIONS or len(self.postures) > POSTURE_MASK + 1:
            message = f"strategy {self.name} has too many conditions or postures: at most {MOST_CONDITIONS} of each"
            raise ValueError(message)
        read = {condition.read for condition in self.conditions}
        if not all(read.issuperset(rule.conditions) for rule in self.insight_rules):
            message = f"an insight rule of {self.name} looks at something that is no condition of the strategy"
            raise ValueError(message)

    @property
    def series(self) -> tuple[str, ...]:
        """Every series that is always read or traded, without repetition, in a fixed order."""
        return tuple(dict.fromkeys((*self.inputs, *self.legs)))
