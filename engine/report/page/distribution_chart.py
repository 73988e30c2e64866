"""How a metric is distributed over all trials, with the winner and what it has to be held against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from engine.report.numbers import number_text
from engine.report.page.labels import label
from engine.report.page.markup import element
from engine.report.page.scales import Scale, nice_ticks

__all__ = ["Mark", "distribution_chart"]

WIDTH, LEFT, RIGHT = 960, 52, 4
LABEL_HEIGHT, BARS_HEIGHT, BELOW = 17, 190, 40
FEWEST_BARS, MOST_BARS = 12, 60


@dataclass(frozen=True)
class Mark:
    """A value that is pointed out.

    Attributes
    ----------
    label
        What it is.
    value
        Where it lies.
    style
        Its style: ``winner``, ``neighbours``, ``chance`` or ``median``.
    """

    label: str
    value: float
    style: str


def distribution_chart(
    values: NDArray[np.float64], counts: NDArray[np.int64], marks: Sequence[Mark], metric: str, *, title: str
) -> Element:
    """Draw a histogram.

    Parameters
    ----------
    values, counts
        Values of the metric, float64, finite, at least one, and how many trials have each.
    marks
        What to point out.
    metric
        The metric's name, which tells how its numbers are written.
    title
        What a reader who cannot see the chart is told.
    """
    edges = _edges(values, int(counts.sum()), [mark.value for mark in marks])
    bars, _ = np.histogram(values, edges, weights=counts)
    top = LABEL_HEIGHT * len(marks) + 8
    bottom = top + BARS_HEIGHT
    across = Scale(float(edges[0]), float(edges[-1]), LEFT, WIDTH - RIGHT)
    up = Scale(0.0, float(bars.max()) * 1.02, bottom, top)
    return element(
        "svg",
        element("title", title),
        element("g", _axes(across, up, metric), class_="axis"),
        element("g", _bars(bars.astype(np.int64), edges, across, up, metric), class_="bars"),
        element("g", _marks(marks, across, bottom, metric), class_="marks"),
        viewBox=f"0 0 {WIDTH} {bottom + BELOW}",
        role="img",
        class_="chart",
    )


def _edges(values: NDArray[np.float64], count: int, marked: Sequence[float]) -> NDArray[np.float64]:
    """Bins of a round width from the least to the greatest of the values and marks."""
    everything = np.concatenate([values, marked])
    low, high = float(everything.min()), float(everything.max())
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    bars = min(max(int(2.0 * np.sqrt(count)), FEWEST_BARS), MOST_BARS)
    ticks = nice_ticks(low, high, bars)
    step = ticks[1] - ticks[0]
    first, last = np.floor(low / step), np.floor(high / step) + 1
    return np.asarray(np.arange(first, last + 1) * step)


def _axes(across: Scale, up: Scale, metric: str) -> Iterator[Element]:
    for tick in (tick for tick in nice_ticks(0.0, up.high, 4) if tick == int(tick)):
        place = up.place(tick)
        yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_="rule")
        yield element("text", f"{tick:,.0f}", x=LEFT - 8, y=place + 4, text_anchor="end")
    for tick in nice_ticks(across.low, across.high, 10):
        yield element("text", _tick_text(metric, tick), x=across.place(tick), y=up.start + 17, text_anchor="middle")
    yield element("text", label(metric), x=WIDTH - RIGHT, y=up.start + 34, text_anchor="end", class_="axis-name")
    yield element("text", "combinations", x=LEFT + 6, y=up.end + 12, class_="panel-name")


def _tick_text(metric: str, tick: float) -> str:
    """Write a round number with no more digits than it needs."""
    text = number_text(metric, tick)
    return text if text.endswith("%") else f"{tick:g}"


def _bars(
    counts: NDArray[np.int64], edges: NDArray[np.float64], across: Scale, up: Scale, metric: str
) -> Iterator[Element]:
    left, right = across.places(edges[:-1]), across.places(edges[1:])
    heights = up.start - up.places(counts)
    for k in np.flatnonzero(counts).tolist():
        ends = f"{number_text(metric, float(edges[k]))} to {number_text(metric, float(edges[k + 1]))}"
        yield element(
            "rect",
            element("title", f"{ends}: {counts[k]:,} combinations"),
            x=float(left[k]),
            y=float(up.start - heights[k]),
            width=float(max(right[k] - left[k] - 1.0, 0.5)),
            height=float(heights[k]),
        )


def _marks(marks: Sequence[Mark], across: Scale, bottom: float, metric: str) -> Iterator[Element]:
    """Label each value on a row of its own, towards the side that has room, the outermost above."""
    middle = (across.low + across.high) / 2
    ordered = sorted(marks, key=lambda mark: (mark.value > middle, -abs(mark.value - middle)))
    for row, mark in enumerate(ordered):
        place, height = across.place(mark.value), LABEL_HEIGHT * row + 13
        to_the_left = mark.value > middle
        text = f"{mark.label} {number_text(metric, mark.value)}"
        yield element("line", x1=place, x2=place, y1=height - 9, y2=bottom, class_=mark.style)
        yield element(
            "text",
            text,
            x=place + (-6 if to_the_left else 6),
            y=height,
            text_anchor="end" if to_the_left else "start",
            class_=mark.style,
        )
