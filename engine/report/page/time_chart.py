"""Equity on a logarithmic scale, its drawdown below, and the sessions in which a position is held."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.report.page.curves import drawdown
from engine.report.page.markup import element, raw_element
from engine.report.page.scales import Scale, date_ticks, line_path, log_ticks, nice_ticks

__all__ = ["Line", "time_chart"]

WIDTH, LEFT, RIGHT = 960, 52, 4
EQUITY_TOP, EQUITY_HEIGHT = 6, 330
DRAWDOWN_TOP, DRAWDOWN_HEIGHT = 366, 116
HEIGHT = DRAWDOWN_TOP + DRAWDOWN_HEIGHT + 26
PLOT = WIDTH - LEFT - RIGHT
SHORTEST = 1.0
"""Width of the shade of a single session, so that it can be seen."""


@dataclass(frozen=True)
class Line:
    """One line of the chart.

    Attributes
    ----------
    column
        Column of the frame; also the line's style.
    label
        What the legend calls it.
    """

    column: str
    label: str


def time_chart(curves: pl.DataFrame, lines: Sequence[Line], postures: Sequence[str], *, title: str) -> Element:
    """Draw equity curves and their drawdowns.

    Parameters
    ----------
    curves
        See `engine.report.page.curves.equity_curves`.
    lines
        The lines, the most important first; it is drawn last and its drawdown is filled.
    postures
        Names of the postures.
    title
        What a reader who cannot see the chart is told.
    """
    days = curves["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    across = Scale(float(days[0]), float(days[-1]), 0.0, PLOT)
    equity = {line.column: _positive(curves[line.column]) for line in lines}
    depths = {line.column: drawdown(curves[line.column]).to_numpy() for line in lines}
    up = _padded(np.concatenate(list(equity.values())))
    down = Scale(min(float(np.nanmin(depth)) for depth in depths.values()) * 1.04 or -0.01, 0.0, DRAWDOWN_HEIGHT, 0.0)
    x = across.places(days)
    shades = list(_shades(x, curves["posture"].to_numpy()))
    svg = element(
        "svg",
        element("title", title),
        element("g", _year_lines(curves, across), class_="axis date-ticks"),
        element("g", _equity_ticks(up), class_="axis equity-ticks"),
        element("g", _drawdown_ticks(down), class_="axis"),
        _panel(EQUITY_TOP, EQUITY_HEIGHT, shades, _lines(lines, x, equity, up), "equity"),
        _panel(DRAWDOWN_TOP, DRAWDOWN_HEIGHT, shades, _drawdowns(lines, x, depths, down), "drawdown"),
        element("text", "drawdown", x=LEFT + 6, y=DRAWDOWN_TOP + DRAWDOWN_HEIGHT - 8, class_="panel-name"),
        element("text", "equity, start = 1, log", x=LEFT + 6, y=EQUITY_TOP + 14, class_="panel-name"),
        element("line", class_="cursor", y1=EQUITY_TOP, y2=DRAWDOWN_TOP + DRAWDOWN_HEIGHT, x1=-9, x2=-9),
        element("rect", class_="brush", y=EQUITY_TOP, height=DRAWDOWN_TOP + DRAWDOWN_HEIGHT - EQUITY_TOP, width=0),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    data = _data(curves, days, lines, equity, depths, up)
    return element("div", _legend(curves, lines, postures), svg, _embedded(data), class_="time-chart")


def _positive(values: pl.Series) -> NDArray[np.float64]:
    """Equity that a logarithm can show: NaN from where nothing is left."""
    equity = values.to_numpy().astype(np.float64)
    return np.where(equity > 0.0, equity, np.nan)


def _padded(values: NDArray[np.float64]) -> Scale:
    """Logarithmic scale with a little room above and below, and 1 always on it."""
    low, high = min(1.0, float(np.nanmin(values))), max(1.0, float(np.nanmax(values)))
    room = max((high / low) ** 0.04, 1.005)
    return Scale(low / room, high * room, EQUITY_HEIGHT, 0.0, logarithmic=True)


def _shades(x: NDArray[np.float64], postures: NDArray[np.int8]) -> Iterator[Element]:
    """One path a posture: from the close at which it is filled to the close at which it is left."""
    changes = np.flatnonzero(np.diff(postures)) + 1
    starts, ends = np.r_[0, changes], np.r_[changes, len(postures) - 1]
    for posture in np.unique(postures[postures != 0]).tolist():
        spans = (
            (x[a], max(x[b] - x[a], SHORTEST)) for a, b in zip(starts, ends, strict=True) if postures[a] == posture
        )
        path = "".join(f"M{left:.1f} 0h{width:.1f}V{EQUITY_HEIGHT}h{-width:.1f}z" for left, width in spans)
        yield element("path", d=path, class_=f"held posture-{posture}")


def _panel(top: int, height: int, shades: Sequence[Element], drawn: Sequence[Element], name: str) -> Element:
    """A drawing of its own, which can be zoomed by its view box alone."""
    return element(
        "svg",
        shades,
        drawn,
        x=LEFT,
        y=top,
        width=PLOT,
        height=height,
        viewBox=f"0 0 {PLOT} {height}",
        preserveAspectRatio="none",
        class_=f"plot {name}",
    )


def _lines(
    lines: Sequence[Line], x: NDArray[np.float64], equity: dict[str, NDArray[np.float64]], up: Scale
) -> list[Element]:
    return [
        element("path", d=line_path(x, up.places(equity[line.column])), class_=f"line {line.column}")
        for line in reversed(lines)
    ]


def _drawdowns(
    lines: Sequence[Line], x: NDArray[np.float64], depths: dict[str, NDArray[np.float64]], down: Scale
) -> list[Element]:
    """Fill the first line's drawdown; draw the others, but not the same twice."""
    first = lines[0].column
    path = line_path(x, down.places(depths[first]))
    others = [line for line in lines[1:] if line.column != "gross"]
    return [
        element("path", d=f"{path}V0H0z", class_=f"area {first}"),
        *(
            element("path", d=line_path(x, down.places(depths[line.column])), class_=f"line {line.column}")
            for line in others
        ),
        element("path", d=path, class_=f"line {first}"),
    ]


def _year_lines(curves: pl.DataFrame, across: Scale) -> Iterator[Element]:
    bottom = DRAWDOWN_TOP + DRAWDOWN_HEIGHT
    for day, label in date_ticks(curves["date"][0], curves["date"][-1], 12):
        place = LEFT + across.place(float(np.datetime64(day).astype(np.int64)))
        yield element("line", x1=place, x2=place, y1=EQUITY_TOP, y2=bottom, class_="rule date")
        yield element("text", label, x=place, y=bottom + 17, text_anchor="middle", class_="date")


def _equity_ticks(up: Scale) -> Iterator[Element]:
    for tick in log_ticks(up.low, up.high):
        place = EQUITY_TOP + up.place(tick)
        yield element(
            "line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_="rule one" if tick == 1.0 else "rule"
        )
        yield element("text", f"{tick:g}", x=LEFT - 8, y=place + 4, text_anchor="end")


def _drawdown_ticks(down: Scale) -> Iterator[Element]:
    for tick in nice_ticks(down.low, 0.0, 4):
        place = DRAWDOWN_TOP + down.place(tick)
        yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_="rule")
        yield element("text", f"{tick:.0%}", x=LEFT - 8, y=place + 4, text_anchor="end")


def _data(
    curves: pl.DataFrame,
    days: NDArray[np.int64],
    lines: Sequence[Line],
    equity: dict[str, NDArray[np.float64]],
    depths: dict[str, NDArray[np.float64]],
    up: Scale,
) -> dict[str, object]:
    """What the page's script needs to read values off the chart and to zoom."""
    return {
        "days": days.tolist(),
        "postures": curves["posture"].to_list(),
        "equity": {line.column: _rounded(equity[line.column]) for line in lines},
        "drawdown": {line.column: _rounded(depths[line.column]) for line in lines},
        "scale": [up.low, up.high],
        "plot": [LEFT, PLOT, EQUITY_TOP, EQUITY_HEIGHT, DRAWDOWN_TOP, DRAWDOWN_HEIGHT],
    }


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 4) for value in values.tolist()]


def _legend(curves: pl.DataFrame, lines: Sequence[Line], postures: Sequence[str]) -> Element:
    """Name each line, with its value at the cursor; at first that of the last session."""
    last = curves.row(-1, named=True)
    held = sorted({int(posture) for posture in curves["posture"].unique().to_list()} - {0})
    return element(
        "div",
        element("span", f"{last['date']}", class_="when"),
        (
            element(
                "span",
                element("i", class_=f"swatch {line.column}"),
                f"{line.label} ",
                element("b", f"{last[line.column]:.3f}", data_line=line.column),
                class_="entry",
            )
            for line in lines
        ),
        element(
            "span",
            f"drawdown {lines[0].label} ",
            element("b", f"{drawdown(curves[lines[0].column])[-1]:.1%}", data_drawdown=lines[0].column),
            class_="entry",
        ),
        (
            element(
                "span",
                element("i", class_=f"swatch held posture-{posture}"),
                f"held: {postures[posture]}",
                class_="entry",
            )
            for posture in held
        ),
        class_="legend",
    )


def _embedded(data: dict[str, object]) -> Element:
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return raw_element("script", text, type="application/json")
