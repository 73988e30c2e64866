"""A metric over two parameters at once: a plateau can be told from a peak at a glance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl

from engine.report.numbers import number_text
from engine.report.page.markup import element
from engine.report.page.sensitivity import cell_width

__all__ = ["Colours", "Plane", "colour_key", "colours_for", "plane_chart"]

LEFT, TOP, BELOW, RIGHT = 80, 4, 42, 4
MOST_CELLS = 60
READABLE_WIDTH, READABLE_HEIGHT = 34.0, 15.0
"""A cell of this size can hold its number."""

ABOUT_ZERO = frozenset({"total_return", "cagr", "sharpe", "return_to_vol", "sortino", "calmar"})
"""Metrics of which the sign matters most."""


@dataclass(frozen=True)
class Colours:
    """How a value is coloured.

    Attributes
    ----------
    about_zero
        Two colours, one on each side of 0, both fading towards 0; otherwise one, fading from ``high`` to ``low``.
    low, high
        Values with the faintest and the strongest colour; about 0, ``high`` is the strongest on both sides.
    """

    about_zero: bool
    low: float
    high: float

    def strength(self, value: float) -> float:
        """How strong the colour of a value is, 0 to 1."""
        if self.about_zero:
            return min(abs(value) / self.high, 1.0) if self.high else 0.0
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5

    def style(self, value: float) -> str:
        """Which of the colours a value has."""
        return "below" if self.about_zero and value < 0.0 else "above"


@dataclass(frozen=True)
class Plane:
    """The two axes of a heat map: names, values in the order of the grid, and where the winner lies on them."""

    x_name: str
    x_values: tuple[Any, ...]
    x_winner: int
    y_name: str
    y_values: tuple[Any, ...]
    y_winner: int


def colours_for(metric: str, medians: pl.Series) -> Colours:
    """One set of colours for all heat maps of a page."""
    low, high = float(medians.min()), float(medians.max())  # type: ignore[arg-type]  # a column of floats, not empty
    if metric in ABOUT_ZERO:
        return Colours(about_zero=True, low=0.0, high=max(abs(low), abs(high)))
    return Colours(about_zero=False, low=low, high=high)


def plane_chart(
    cells: pl.DataFrame, plane: Plane, colours: Colours, metric: str, *, width: int, marked: bool, title: str
) -> Element:
    """Draw one heat map.

    Parameters
    ----------
    cells
        ``x``, ``y``, ``median`` and ``trials``, see `engine.report.page.sensitivity.plane_medians`.
    plane
        Its axes.
    colours
        How values are coloured.
    metric
        The metric's name, which tells how its numbers are written.
    width
        Of the drawing.
    marked
        Whether the winner lies in this one of several heat maps.
    title
        What a reader who cannot see the chart is told.
    """
    columns, rows = _starts(plane.x_values), _starts(plane.y_values)
    across = (width - LEFT - RIGHT) / len(columns)
    down = min(max(220.0 / len(rows), 6.0), 30.0)
    bottom = TOP + down * len(rows)
    place = {start: LEFT + k * across for k, start in enumerate(columns)}
    level = {start: bottom - (k + 1) * down for k, start in enumerate(rows)}
    readable = across >= READABLE_WIDTH and down >= READABLE_HEIGHT
    drawn = chain.from_iterable(
        _cell(cell, plane, colours, metric, (place[cell["x"]], level[cell["y"]], across, down), readable=readable)
        for cell in cells.iter_rows(named=True)
    )
    return element(
        "svg",
        element("title", title),
        element("rect", x=LEFT, y=TOP, width=across * len(columns), height=bottom - TOP, class_="empty"),
        element("g", drawn, class_="cells"),
        _winner(plane, place, level, across, down) if marked else None,
        element("g", _labels(plane, columns, rows, across, down, bottom, width), class_="axis"),
        viewBox=f"0 0 {width} {bottom + BELOW:.0f}",
        role="img",
        class_="chart",
    )


def colour_key(colours: Colours, metric: str) -> Element:
    """Explain the colours."""
    steps = 24
    low = -colours.high if colours.about_zero else colours.low
    values = [low + (colours.high - low) * k / (steps - 1) for k in range(steps)]
    swatches = (
        element(
            "rect",
            x=6.0 * k,
            y=0,
            width=6,
            height=10,
            class_=colours.style(value),
            fill_opacity=colours.strength(value),
        )
        for k, value in enumerate(values)
    )
    return element(
        "span",
        number_text(metric, low),
        element(
            "svg", element("g", swatches, class_="cells"), viewBox=f"0 0 {6 * steps} 10", width=6 * steps, height=10
        ),
        number_text(metric, colours.high),
        class_="key",
    )


def _starts(values: Sequence[Any]) -> list[int]:
    """Places on an axis at which its cells begin, in ascending order of their values."""
    return sorted(range(0, len(values), cell_width(values, MOST_CELLS)), key=lambda place: values[place])


def _span(values: Sequence[Any], start: int) -> str:
    """The values of a cell."""
    last = min(start + cell_width(values, MOST_CELLS), len(values)) - 1
    return f"{values[start]:g}" if last == start else f"{values[start]:g} to {values[last]:g}"


def _cell(
    cell: dict[str, Any],
    plane: Plane,
    colours: Colours,
    metric: str,
    box: tuple[float, float, float, float],
    *,
    readable: bool,
) -> Iterator[Element]:
    x, y, width, height = box
    value, strength = cell["median"], colours.strength(cell["median"])
    where = f"{plane.x_name} {_span(plane.x_values, cell['x'])}, {plane.y_name} {_span(plane.y_values, cell['y'])}"
    told = element("title", f"{where}: median {number_text(metric, value)} of {cell['trials']:,} combinations")
    yield element(
        "rect", told, x=x, y=y, width=width, height=height, class_=colours.style(value), fill_opacity=strength
    )
    if readable:
        style = "strong" if strength > 0.7 else None
        yield element("text", _short(metric, value), x=x + width / 2, y=y + height / 2 + 4, class_=style)


def _short(metric: str, value: float) -> str:
    """Two decimals are enough beside a colour."""
    text = number_text(metric, value)
    return text if text.endswith("%") else f"{round(value, 2) + 0.0:.2f}"


def _winner(plane: Plane, place: dict[int, float], level: dict[int, float], across: float, down: float) -> Element:
    x_start = plane.x_winner // cell_width(plane.x_values, MOST_CELLS) * cell_width(plane.x_values, MOST_CELLS)
    y_start = plane.y_winner // cell_width(plane.y_values, MOST_CELLS) * cell_width(plane.y_values, MOST_CELLS)
    return element("rect", x=place[x_start], y=level[y_start], width=across, height=down, class_="winner-cell")


def _labels(
    plane: Plane, columns: Sequence[int], rows: Sequence[int], across: float, down: float, bottom: float, width: int
) -> Iterator[Element]:
    for k in range(0, len(columns), _stride(38.0 / across)):
        text = f"{plane.x_values[columns[k]]:g}"
        yield element("text", text, x=LEFT + (k + 0.5) * across, y=bottom + 16, text_anchor="middle")
    for k in range(0, len(rows), _stride(13.0 / down)):
        text = f"{plane.y_values[rows[k]]:g}"
        yield element("text", text, x=LEFT - 8, y=bottom - (k + 0.5) * down + 4, text_anchor="end")
    yield element("text", plane.x_name, x=(LEFT + width) / 2, y=bottom + 34, text_anchor="middle", class_="axis-name")
    middle = (TOP + bottom) / 2
    turned = f"rotate(-90 12 {middle:.1f})"
    yield element("text", plane.y_name, x=12, y=middle, transform=turned, text_anchor="middle", class_="axis-name")


def _stride(least: float) -> int:
    """Label every cell, or every second, fifth, tenth …: the first of these that leaves room for a label."""
    return next(stride for stride in (1, 2, 5, 10, 20, 50) if stride >= least)
