"""Telling trials apart: which combinations have the same result, and the few of them that are remembered.

Combinations that hold the same positions on every day have the same metrics to the last bit; others differ in some
digit. The fingerprint of a row of metrics therefore names a trial, and a set of them needs no row to be kept.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import METRICS

__all__ = ["Sighting", "TrialSet", "fingerprints", "metric_matrix", "sightings"]

_PENDING = 65_536
"""Sightings that wait before they are sorted in, so that sorting is paid for seldom."""

_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_NOTHING = np.uint64(0x7FF8000000000000)


@dataclass(frozen=True)
class Sighting:
    """Trials met in a block of combinations; all arrays have one value a trial.

    Attributes
    ----------
    names
        Fingerprints, uint64.
    combinations
        The first combination of each, int64.
    alike
        How many combinations had the same result, int64.
    rows
        Where the first one stands in the block, int64.
    """

    names: NDArray[np.uint64]
    combinations: NDArray[np.int64]
    alike: NDArray[np.int64]
    rows: NDArray[np.int64]


def metric_matrix(metrics: pl.DataFrame) -> NDArray[np.float64]:
    """Return the net metrics of some results as float64 (rows, metrics), C-ordered, NaN where there is none."""
    names = [metric.name for metric in METRICS]
    return metrics.select(pl.col(names).cast(pl.Float64).fill_null(np.nan)).to_numpy(order="c")


def fingerprints(metrics: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Name rows of metrics: equal names for equal rows, float64 (rows, metrics) to uint64 (rows,).

    Names of different rows are different but for one in 2**64. NaN is a value like any other, and -0 is 0.
    """
    names = np.empty(len(metrics), np.uint64)
    _mix(np.ascontiguousarray(metrics).view(np.uint64), names)
    return names


@jit
def _mix(bits: NDArray[np.uint64], names: NDArray[np.uint64]) -> None:
    """Chain the finaliser of the generator SplitMix64 (Steele, Lea and Flood, 2014) over each row."""
    for row in range(bits.shape[0]):
        name = np.uint64(0)
        for column in range(bits.shape[1]):
            value = bits[row, column]
            if value << np.uint64(1) == np.uint64(0):
                value = np.uint64(0)
            elif (value << np.uint64(1)) > (np.uint64(0xFFE0000000000000)):
                value = _NOTHING
            name = (name + np.uint64(0x9E3779B97F4A7C15)) ^ value
            name = (name ^ (name >> np.uint64(30))) * _FIRST
            name = (name ^ (name >> np.uint64(27))) * _SECOND
            name ^= name >> np.uint64(31)
        names[row] = name


def sightings(combinations: NDArray[np.int64], names: NDArray[np.uint64]) -> Sighting:
    """Join neighbours with the same result; combinations ascend, so that equal results are often side by side."""
    if not len(names):
        nothing = np.empty(0, np.int64)
        return Sighting(names, nothing, nothing, nothing)
    rows = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    return Sighting(names[rows], combinations[rows], np.diff(rows, append=len(names)), rows)


@dataclass
class TrialSet:
    """The trials that come first by some rank, each once, with how many combinations share its result.

    What is in the set does not depend on the order in which trials are added or on how they are cut into parts: a trial
    that belongs there at the end has belonged there since it was first met, so that its count is complete.

    Attributes
    ----------
    capacity
        How many trials are remembered.
    names, ranks, combinations, alike, values
        Fingerprint, rank (the least comes first; equal ones go by fingerprint), first combination, number of
        combinations, and one metric of each.
    """

    capacity: int
    names: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    ranks: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    combinations: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    alike: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    _waiting: list[tuple[NDArray[np.generic], ...]] = field(default_factory=list, repr=False)
    _count: int = 0

    def add(
        self,
        names: NDArray[np.uint64],
        ranks: NDArray[np.float64],
        combinations: NDArray[np.int64],
        alike: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Add trials, of which some may be there already."""
        if len(self.ranks) >= self.capacity:  # nothing behind the last can come in any more
            near = ranks <= self.ranks[-1]
            names, ranks, combinations, alike, values = (
                part[near] for part in (names, ranks, combinations, alike, values)
            )
        if len(names):
            self._waiting.append((names, ranks, combinations, alike, values))
            self._count += len(names)
        if self._count >= _PENDING:
            self.settle()

    def settle(self) -> "TrialSet":
        """Sort in what waits, and return the set."""
        if not self._waiting:
            return self
        parts = [(self.names, self.ranks, self.combinations, self.alike, self.values), *self._waiting]
        names, ranks, combinations, alike, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        self._waiting, self._count = [], 0
        order = np.lexsort((combinations, names))
        names, ranks, combinations, values = names[order], ranks[order], combinations[order], values[order]
        first = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
        alike = np.add.reduceat(alike[order], first)
        names, ranks, combinations, values = names[first], ranks[first], combinations[first], values[first]
        best = np.lexsort((names, ranks))[: self.capacity]  # by name, not by number: that differs between parts
        self.names, self.ranks, self.combinations = names[best], ranks[best], combinations[best]
        self.alike, self.values = alike[best], values[best]
        return self

    def merge(self, other: "TrialSet") -> None:
        """Add the trials of another set of the same rank and capacity."""
        other.settle()
        self.add(other.names, other.ranks, other.combinations, other.alike, other.values)
