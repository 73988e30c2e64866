"""Conditions: what a strategy looks at, each with its value, its threshold and its verdict at every close.

A condition is a function of the panel and of the parameters it names. It returns a `Reading`; one definition serves
the sweep, which needs the verdicts, and `engine explain`, which shows the numbers behind them. A comparison with
something undefined (warm-up, missing data) is not met.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import consecutive_true

__all__ = [
    "Condition",
    "Reading",
    "above",
    "all_of",
    "any_of",
    "at_least",
    "at_most",
    "below",
    "depends_on",
    "in_a_row",
    "read_condition",
]

Floats = NDArray[np.float64]
Verdicts = NDArray[np.bool_]


@dataclass(frozen=True)
class Reading:
    """A condition over the rows of a panel.

    Attributes
    ----------
    value
        What is looked at, float64 (rows,), NaN where undefined.
    relation
        ``<``, ``<=``, ``>``, ``>=``, or a word for conditions made of others.
    threshold
        What it is compared with, float64 (rows,).
    met
        The verdict, bool (rows,); false where undefined.
    """

    value: Floats
    relation: str
    threshold: Floats
    met: Verdicts


@dataclass(frozen=True)
class Condition:
    """One thing a strategy looks at.

    Attributes
    ----------
    text
        In words, as a sentence without its numbers: ``"XLF is below its moving average"``.
    read
        ``f(panel, **parameters) -> Reading``; the names in its signature are the parameters it depends on.
    """

    text: str
    read: Callable[..., Reading]


def depends_on(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the parameters that ``function`` names in its signature, the panel apart."""
    return tuple(name for name in inspect.signature(function).parameters if name != "panel")


def read_condition(condition: Condition, panel: object, values: Mapping[str, Any]) -> Reading:
    """Read a condition with those of ``values`` that it depends on."""
    return condition.read(panel, **{name: values[name] for name in depends_on(condition.read)})


def below(value: Floats, threshold: Floats | float) -> Reading:
    """Value < threshold."""
    return _compare(value, "<", threshold)


def at_most(value: Floats, threshold: Floats | float) -> Reading:
    """Value <= threshold."""
    return _compare(value, "<=", threshold)


def above(value: Floats, threshold: Floats | float) -> Reading:
    """Value > threshold."""
    return _compare(value, ">", threshold)


def at_least(value: Floats, threshold: Floats | float) -> Reading:
    """Value >= threshold."""
    return _compare(value, ">=", threshold)


def in_a_row(reading: Reading, closes: float) -> Reading:
    """Met where a reading has been met at so many closes in a row; its value is at how many, NaN where undefined."""
    defined = ~(np.isnan(reading.value) | np.isnan(reading.threshold))
    return at_least(np.where(defined, consecutive_true(reading.met), np.nan), closes)


_COMPARISONS: Mapping[str, Callable[[Floats, Floats], Verdicts]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _compare(value: Floats, relation: str, threshold: Floats | float) -> Reading:
    values = np.asarray(value, np.float64)
    thresholds = np.broadcast_to(np.asarray(threshold, np.float64), values.shape)
    return Reading(values, relation, thresholds, _COMPARISONS[relation](values, thresholds))


def all_of(*readings: Reading) -> Reading:
    """Met where all of them are; its value is how many are."""
    return _count(readings, "all of", len(readings))


def any_of(*readings: Reading) -> Reading:
    """Met where one of them is; its value is how many are."""
    return _count(readings, "any of", 1)


def _count(readings: tuple[Reading, ...], relation: str, needed: int) -> Reading:
    count = np.sum([reading.met for reading in readings], axis=0).astype(np.float64)
    return Reading(count, relation, np.full(count.shape, float(len(readings))), count >= needed)
