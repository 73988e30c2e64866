"""A metric along one parameter: the median and the middle nine tenths of all combinations that share its value."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from engine.report.numbers import number_text
from engine.report.page.markup import element
from engine.report.page.scales import Scale, line_path, nice_ticks
from engine.report.page.sensitivity import AxisEffect

__all__ = ["axis_chart"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BELOW = 320, 190, 46, 12, 8, 24


def axis_chart(
    effect: AxisEffect, metric: str, *, limits: tuple[float, float], winner: tuple[int, float], title: str
) -> Element:
    """Draw the median along an axis, with a band of quantiles around it.

    Parameters
    ----------
    effect
        What is drawn: numbers as a line and a band, words as points and bars.
    metric
        The metric's name, which tells how its numbers are written.
    limits
        Ends of the vertical axis, the same for all axes of a page, so that they can be compared.
    winner
        Its place on the axis, and its value.
    title
        What a reader who cannot see the chart is told.
    """
    up = Scale(*limits, HEIGHT - BELOW, TOP)
    across = _across(effect)
    return element(
        "svg",
        element("title", title),
        element("g", _value_axis(up, metric), _parameter_axis(effect, across), class_="axis"),
        _line_and_band(effect, across, up) if effect.numeric else _points_and_bars(effect, across, up),
        element(
            "circle",
            element("title", f"the best combination: {number_text(metric, winner[1])}"),
            cx=across.place(_coordinate(effect, winner[0])),
            cy=up.place(winner[1]),
            r=4,
            class_="winner-point",
        ),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )


def _coordinate(effect: AxisEffect, place: int) -> float:
    """Where a value lies: numbers at their own value, words side by side."""
    return float(effect.values[place]) if effect.numeric else float(place)


def _across(effect: AxisEffect) -> Scale:
    if effect.numeric:
        return Scale(float(min(effect.values)), float(max(effect.values)), LEFT + 6, WIDTH - RIGHT)
    return Scale(-0.5, len(effect.values) - 0.5, LEFT, WIDTH - RIGHT)


def _value_axis(up: Scale, metric: str) -> Iterator[Element]:
    for tick in nice_ticks(up.low, up.high, 5):
        place = up.place(tick)
        text = number_text(metric, tick)
        yield element(
            "line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_="rule one" if tick == 0.0 else "rule"
        )
        yield element("text", text if text.endswith("%") else f"{tick:g}", x=LEFT - 6, y=place + 4, text_anchor="end")


def _parameter_axis(effect: AxisEffect, across: Scale) -> Iterator[Element]:
    bottom = HEIGHT - BELOW + 16
    if effect.numeric:
        for tick in nice_ticks(across.low, across.high, 5):
            yield element("text", f"{tick:g}", x=across.place(tick), y=bottom, text_anchor="middle")
        return
    for place, value in enumerate(effect.values):
        yield element("text", str(value), x=across.place(place), y=bottom, text_anchor="middle")


def _line_and_band(effect: AxisEffect, across: Scale, up: Scale) -> Element:
    along = effect.along.with_columns(x=np.array([_coordinate(effect, place) for place in effect.along["place"]])).sort(
        "x"
    )
    x, low, median, high = (along[name].to_numpy() for name in ("x", "low", "median", "high"))
    x = across.places(x)
    there, back = line_path(x, up.places(high)), line_path(x[::-1], up.places(low[::-1]))
    return element(
        "g",
        element("path", d=f"{there}L{back[1:]}z", class_="band"),
        element("path", d=line_path(x, up.places(median)), class_="line net"),
    )


def _points_and_bars(effect: AxisEffect, across: Scale, up: Scale) -> Element:
    parts = []
    for row in effect.along.iter_rows(named=True):
        x = across.place(row["place"])
        parts.append(element("line", x1=x, x2=x, y1=up.place(row["low"]), y2=up.place(row["high"]), class_="whisker"))
        parts.append(
            element(
                "line", x1=x - 9, x2=x + 9, y1=up.place(row["median"]), y2=up.place(row["median"]), class_="line net"
            )
        )
    return element("g", parts)
