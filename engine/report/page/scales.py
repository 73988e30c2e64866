"""From data to places in a drawing, and the round numbers and dates that label an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Scale", "date_ticks", "line_path", "log_ticks", "nice_ticks"]

LADDERS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
FEWEST_TICKS = 4

NEARLY = timedelta(days=7)
"""A sample that begins this late in a year begins with it."""


@dataclass(frozen=True)
class Scale:
    """A straight or logarithmic scale.

    Attributes
    ----------
    low, high
        Ends in the data; both above 0 if logarithmic.
    start, end
        Where they lie in the drawing; ``start`` may be the greater one.
    logarithmic
        Whether equal distances are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies in the drawing."""
        return float(self.places([value])[0])

    def places(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie in the drawing; NaN stays NaN."""
        given = np.asarray(values, np.float64)
        low, high = self.low, self.high
        if self.logarithmic:
            given, low, high = np.log(given), math.log(low), math.log(high)
        share = (given - low) / (high - low) if high > low else np.full_like(given, 0.5)
        return np.asarray(self.start + share * (self.end - self.start))


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round values from ``low`` to ``high``."""
    if not high > low:
        return [low]
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round values for a logarithmic axis: the coarsest ladder of each power of ten that has enough of them."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for ladder in LADDERS:
        ticks = [round(rung * 10.0**power, 12) for power in powers for rung in ladder]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= FEWEST_TICKS:
            return inside
    return nice_ticks(low, high, 6)


def date_ticks(first: date, last: date, count: int) -> list[tuple[date, str]]:
    """About ``count`` beginnings of years, or of months in a short sample, with their labels."""
    years = last.year - first.year
    if years >= 3:
        step = next(step for step in (1, 2, 5, 10, 20, 50) if years / step <= count)
        days = [date(year, 1, 1) for year in range(first.year, last.year + 1) if year % step == 0]
        return [(max(day, first), str(day.year)) for day in days if first - NEARLY <= day <= last]
    months = 12 * years + last.month - first.month + 1
    step = next(step for step in (1, 2, 3, 6, 12) if months / step <= count)
    beginnings = [date(first.year + k // 12, k % 12 + 1, 1) for k in range(0, 12 * (years + 1), step)]
    return [(day, f"{day:%b %Y}") for day in beginnings if first <= day <= last]


def line_path(x: Sequence[float] | NDArray[np.float64], y: Sequence[float] | NDArray[np.float64]) -> str:
    """Path through points, interrupted where y is NaN."""
    commands, pen = [], "M"
    for across, down in zip(x, y, strict=True):
        if math.isnan(down):
            pen = "M"
            continue
        commands.append(f"{pen}{across:.1f} {down:.1f}")
        pen = "L"
    return "".join(commands)
