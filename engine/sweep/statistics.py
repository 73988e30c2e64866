"""What a sweep learns from every trial while they go by, in memory that does not grow with their number.

Counts are exact. The distribution of each metric is kept as counts by value, values cut to eleven significant bits: a
quantile read from them is low (nearer to zero) by less than a thousandth of itself, and whole numbers up to 2,047 are
exact. Trials with different results are counted exactly up to `REMEMBERED` of them and estimated beyond, from the
density of the least fingerprints (Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", RANDOM 2002; the
standard error is a 256th). The remembered ones are then a random sample of the distinct trials.

Everything here is a count, an extreme or a set that does not depend on the order: two parts of a sweep can be evaluated
anywhere and merged.
"""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import METRICS
from engine.sweep.trials import Sighting, TrialSet, fingerprints, metric_matrix, sightings

__all__ = ["REMEMBERED", "Statistics"]

REMEMBERED = 65_536
"""Distinct trials that are remembered; their number is exact up to here."""

CHECKED = 200
"""Trials at each end of the ranking that are remembered in any case, to be checked and shown."""

_NAMES = tuple(metric.name for metric in METRICS)
_TRADES, _TOTAL, _SHARPE = (_NAMES.index(name) for name in ("trades", "total_return", "sharpe"))
_BITS, _LEAST, _MOST = 10, -40, 24
_HALF = (_MOST - _LEAST) << _BITS
_OFFSET = (1023 + _LEAST) << _BITS
_SHIFT = 52 - _BITS


@dataclass
class Statistics:
    """What is known about all trials so far.

    Attributes
    ----------
    metric
        By which trials are ranked.
    evaluated, traded, positive
        Combinations evaluated; of these, those that ever held a position; of these, those with a net total return
        above 0.
    bins
        Counts by value of the trading combinations, int64 (metrics, values cut to eleven bits).
    ends
        Least and greatest value of each metric, float64 (metrics, 2); infinite where there is none.
    distinct
        The trials with the least fingerprints: all of them, or a random sample; their values are Sharpe ratios.
    best, worst
        The trials at the ends of the ranking; their values are the metric's.
    """

    metric: str
    evaluated: int
    traded: int
    positive: int
    bins: NDArray[np.int64]
    ends: NDArray[np.float64]
    distinct: TrialSet
    best: TrialSet
    worst: TrialSet

    @classmethod
    def empty(cls, metric: str, *, best: int = 0) -> "Statistics":
        """Return what is known before the first trial.

        Parameters
        ----------
        metric
            By which trials are ranked.
        best
            How many of the best are remembered, at least `CHECKED`.
        """
        return cls(
            metric,
            0,
            0,
            0,
            np.zeros((len(_NAMES), 2 * _HALF + 1), np.int64),
            np.repeat([[np.inf, -np.inf]], len(_NAMES), axis=0),
            TrialSet(REMEMBERED),
            TrialSet(max(best, CHECKED)),
            TrialSet(CHECKED),
        )

    def observe(self, combinations: NDArray[np.int64], metrics: pl.DataFrame) -> None:
        """Take note of a block of combinations.

        Parameters
        ----------
        combinations
            Their numbers, ascending.
        metrics
            One row each, the columns of `engine.metrics`.
        """
        values = metric_matrix(metrics)
        traded = values[:, _TRADES] > 0.0
        self.evaluated += len(values)
        self.traded += int(traded.sum())
        self.positive += int((traded & (values[:, _TOTAL] > 0.0)).sum())
        _count(values, traded, self.bins, self.ends)
        met = sightings(combinations, fingerprints(values))
        rank = met.names.astype(np.float64)
        self.distinct.add(met.names, rank, met.combinations, met.alike, values[met.rows, _SHARPE])
        self._rank(met, values[met.rows, _NAMES.index(self.metric)], traded[met.rows])

    def _rank(self, met: Sighting, values: NDArray[np.float64], traded: NDArray[np.bool_]) -> None:
        ranked = traded & np.isfinite(values)
        parts = (met.names[ranked], met.combinations[ranked], met.alike[ranked], values[ranked])
        names, combinations, alike, known = parts
        sign = -1.0 if next(item.higher_is_better for item in METRICS if item.name == self.metric) else 1.0
        self.best.add(names, sign * known, combinations, alike, known)
        self.worst.add(names, -sign * known, combinations, alike, known)

    def merge(self, other: "Statistics") -> None:
        """Take note of what was learnt about other combinations."""
        self.evaluated += other.evaluated
        self.traded += other.traded
        self.positive += other.positive
        self.bins += other.bins
        self.ends = np.column_stack(
            [np.minimum(self.ends[:, 0], other.ends[:, 0]), np.maximum(self.ends[:, 1], other.ends[:, 1])]
        )
        for mine, theirs in ((self.distinct, other.distinct), (self.best, other.best), (self.worst, other.worst)):
            mine.merge(theirs)

    @property
    def never_traded(self) -> int:
        """Combinations that never held a position."""
        return self.evaluated - self.traded

    @property
    def positive_share(self) -> float | None:
        """Share of the trading combinations with a net total return above 0; None if none trades."""
        return self.positive / self.traded if self.traded else None

    @property
    def all_remembered(self) -> bool:
        """Whether every distinct trial is remembered, so that their number is exact."""
        return len(self.distinct.settle().names) < REMEMBERED

    @property
    def distinct_trials(self) -> int:
        """How many trials have different results; see `all_remembered`."""
        known = len(self.distinct.settle().names)
        if self.all_remembered:
            return known
        return round((known - 1) / (float(self.distinct.names[-1]) / 2.0**64))

    def quantiles(self, metric: str, shares: Sequence[float]) -> list[float | None]:
        """Values below which some shares of the trading combinations lie; None if none has a value.

        The ends (0 and 1) are exact; what lies between is cut to eleven significant bits.
        """
        row = _NAMES.index(metric)
        total = int(self.bins[row].sum())
        if total == 0:
            return [None] * len(shares)
        upto = np.cumsum(self.bins[row])
        least, greatest = self.ends[row].tolist()
        found = [int(np.searchsorted(upto, share * (total - 1), side="right")) for share in shares]
        inner = [min(max(value, least), greatest) for value in map(_value, found)]
        exact = {0.0: least, 1.0: greatest}
        return [exact.get(share, value) for share, value in zip(shares, inner, strict=True)]

    def values(self, metric: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Values of a metric, ascending, cut to eleven significant bits, and how many combinations have each."""
        row = self.bins[_NAMES.index(metric)]
        present = np.flatnonzero(row)
        return np.array([_value(place) for place in present.tolist()]), row[present]

    def to_bytes(self) -> bytes:
        """Return all of it as bytes, a few hundred kilobytes in most cases."""
        buffer = io.BytesIO()
        places = np.flatnonzero(self.bins)
        counts = np.array([self.evaluated, self.traded, self.positive])
        sets = {"distinct": self.distinct, "best": self.best, "worst": self.worst}
        arrays: dict[str, Any] = {
            "metric": np.array(self.metric),
            "counts": counts,
            "places": places,
            "bins": self.bins.ravel()[places],
            "ends": self.ends,
        }
        for name, trials in sets.items():
            trials.settle()
            arrays |= {f"{name}_{part}": getattr(trials, part) for part in _PARTS}
            arrays[f"{name}_capacity"] = np.array(trials.capacity)
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Statistics":
        """Read what `to_bytes` returned.

        Raises
        ------
        ValueError, KeyError, OSError, zipfile.BadZipFile
            It is not that.
        """
        with np.load(io.BytesIO(payload), allow_pickle=False) as held:
            arrays: Mapping[str, NDArray[Any]] = {name: held[name] for name in held.files}
        found = cls.empty(str(arrays["metric"]))
        found.evaluated, found.traded, found.positive = map(int, arrays["counts"])
        found.bins.ravel()[arrays["places"]] = arrays["bins"]
        found.ends = arrays["ends"]
        sets = starmap(
            TrialSet,
            (
                (int(arrays[f"{name}_capacity"]), *(arrays[f"{name}_{part}"] for part in _PARTS))
                for name in ("distinct", "best", "worst")
            ),
        )
        found.distinct, found.best, found.worst = sets
        return found


_PARTS = ("names", "ranks", "combinations", "alike", "values")


@jit
def _count(
    values: NDArray[np.float64], counted: NDArray[np.bool_], bins: NDArray[np.int64], ends: NDArray[np.float64]
) -> None:
    """Count the values of the rows that are counted; NaN counts nowhere."""
    bits = values.view(np.int64)
    for row in range(values.shape[0]):
        if not counted[row]:
            continue
        for column in range(values.shape[1]):
            value = values[row, column]
            if np.isnan(value):
                continue
            ends[column, 0] = min(ends[column, 0], value)
            ends[column, 1] = max(ends[column, 1], value)
            place = ((bits[row, column] & np.int64(0x7FFFFFFFFFFFFFFF)) >> _SHIFT) - _OFFSET
            place = min(max(place + 1, 0), _HALF)
            bins[column, _HALF + place if value >= 0.0 else _HALF - place] += 1


def _value(place: int) -> float:
    """Value of a bin, the end nearer to zero."""
    distance = abs(place - _HALF)
    if distance == 0:
        return 0.0
    whole = distance - 1 + _OFFSET
    size = math.ldexp(1.0 + (whole & ((1 << _BITS) - 1)) / (1 << _BITS), (whole >> _BITS) - 1023)
    return size if place > _HALF else -size
