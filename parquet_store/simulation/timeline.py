"""The episodes laid on a calendar: how strong each is on each day, what it plans, and where shocks are centred."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from parquet_store.simulation.parameters import Episode, FactorName, Kind, Parameters
from parquet_store.simulation.processes import Vector, per_day, uniform

__all__ = ["Timeline", "lay_out"]


@dataclass(frozen=True)
class _Window:
    """One episode: its days; by day its level, and the shares of its moves made and taken back."""

    kind: Kind
    severity: float
    days: slice
    level: Vector
    moving: Vector
    recovering: Vector


@dataclass(frozen=True)
class Timeline:
    """All episodes on one calendar.

    Attributes
    ----------
    free
        True on the days that belong to no episode.
    pinning
        Share of an episode's mean shock that `centred` takes out.
    """

    windows: tuple[_Window, ...]
    free: NDArray[np.bool_]
    pinning: float

    def volatility(self) -> Vector:
        """Return the log rise of the VIX above its floor."""
        return self._levels([window.kind.volatility for window in self.windows])

    def credit(self) -> Vector:
        """Return the log rise of the spreads."""
        return self._levels([window.kind.credit for window in self.windows])

    def unemployment(self) -> Vector:
        """Return the percentage points towards which the unemployment rate is drawn."""
        return self._levels([window.kind.unemployment for window in self.windows])

    def design(self, factor: FactorName) -> Vector:
        """Return the planned daily changes of a factor: the moves of the episodes and the recoveries after them."""
        plan = np.zeros(self.free.size)
        for window in self.windows:
            move = window.severity * window.kind.moves.get(factor, 0.0)
            plan += move * (window.moving - window.kind.recovery * window.recovering)
        return plan

    def centred(self, shocks: Vector) -> Vector:
        """Return `shocks` with a mean near zero in every episode.

        The path within an episode is as random as ever, but it ends near where the design puts it: a panic is a panic
        under every seed. Short episodes come first, as some lie within longer ones.
        """
        result = shocks.copy()
        for window in sorted(self.windows, key=lambda window: window.days.stop - window.days.start):
            result[window.days] -= self.pinning * result[window.days].mean()
        return result

    def _levels(self, heights: Sequence[float]) -> Vector:
        total = np.zeros(self.free.size)
        for window, height in zip(self.windows, heights, strict=True):
            total += window.severity * height * window.level
        return total


def lay_out(parameters: Parameters, seed: int, days: NDArray[np.datetime64]) -> Timeline:
    """Lay the episodes on a calendar that reaches beyond the last of them.

    Parameters
    ----------
    days
        The calendar's days, ascending.
    """
    windows = tuple(_window(episode, parameters.kinds[episode.kind], seed, days) for episode in parameters.episodes)
    free = np.ones(days.size, dtype=np.bool_)
    for window in windows:
        free[window.days] = False
    return Timeline(windows=windows, free=free, pinning=parameters.pinning)


def _window(episode: Episode, kind: Kind, seed: int, days: NDArray[np.datetime64]) -> _Window:
    start = _position(days, episode.first)
    stop = int(np.searchsorted(days, np.datetime64(episode.last), side="right"))
    after = np.arange(days.size - stop)
    share = np.arange(1, stop - start + 1) / (stop - start)
    waves = _waves(kind, share, uniform(seed, f"episode {episode.name}"))
    level, moving, recovering = np.zeros((3, days.size))
    level[start:stop] = _risen(share, kind.build) * waves
    level[stop:] = level[stop - 1] * per_day(kind.fade) ** (after + 1)
    pace = _risen(share, kind.rise) * waves
    moving[start:stop] = pace / pace.sum()
    keep = per_day(kind.recovery_half_life)
    recovering[stop:] = (1 - keep) * keep**after
    return _Window(kind, episode.severity, slice(start, stop), level, moving, recovering)


def _position(days: NDArray[np.datetime64], day: date) -> int:
    return int(np.searchsorted(days, np.datetime64(day)))


def _risen(share: Vector, full: float) -> Vector:
    """Return a smooth rise from zero to one, which is reached when the share `full` has passed (smoothstep)."""
    part: Vector = np.minimum(share / full, 1.0)
    return part * part * (3 - 2 * part)


def _waves(kind: Kind, share: Vector, phase: float) -> Vector:
    """Return swell and ebb about one, still at both ends."""
    return 1 + kind.wave_depth * np.sin(np.pi * share) * np.sin(2 * np.pi * (kind.waves * share + phase))
