"""The page's charts, each with what it shows and where its numbers come from."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from engine.report.numbers import number_text
from engine.report.page.axis_chart import axis_chart
from engine.report.page.curves import equity_curves
from engine.report.page.distribution_chart import Mark, distribution_chart
from engine.report.page.labels import label
from engine.report.page.markup import Node, element
from engine.report.page.plane_chart import MOST_CELLS, Plane, colour_key, colours_for, plane_chart
from engine.report.page.sensitivity import AxisEffect, plane_medians
from engine.report.page.time_chart import Line, time_chart
from engine.strategies import documentation
from engine.sweep.run import SweepRun
from engine.sweep.summary import Summary

__all__ = ["axes_figure", "distribution_figure", "equity_figure", "planes_figure"]

MOST_FACETS = 6
SINGLE_WIDTH, FACET_WIDTH = 760, 480


def equity_figure(sweep: SweepRun, summary: Summary) -> list[Node]:
    """Equity of the winner beside its position always on and SPY."""
    winner = summary.best.row(0, named=True)
    curves = equity_curves(sweep.plan, winner["combination"])
    lines = [Line("net", "best, net"), Line("gross", "best, gross"), Line("always_on", "always on")]
    if "buy_and_hold" in curves.columns:
        lines.append(Line("buy_and_hold", "SPY"))
    held = np.count_nonzero(curves["posture"]) / curves.height
    title = (
        f"Equity from {curves['date'][0]} to {curves['date'][-1]}: the best combination ended at "
        f"{curves['net'][-1]:.3f} net, its position always on at {curves['always_on'][-1]:.3f}."
    )
    caption = (
        f"Growth of 1. The shade marks the sessions on which the best combination holds a position ({held:.1%}). "
        "Always on: the same weights from the first close to the last, net of costs"
        + ("; SPY bought and held likewise" if "buy_and_hold" in curves.columns else "; SPY is not in the store")
        + ". Drag to zoom, double-click or Escape for the whole; arrow keys move the cursor."
    )
    chart = time_chart(curves, lines, sweep.plan.grid.strategy.postures, title=title)
    return [element("figure", chart), element("p", caption, class_="caption")]


def distribution_figure(sweep: SweepRun, summary: Summary) -> list[Node]:
    """All trials, and where the winner stands among them."""
    metric = summary.metric
    values, counts = sweep.source.values(sweep.statistics, metric)
    total = int(counts.sum())
    winner = summary.best.row(0, named=True)
    marks = [
        Mark("the best", winner[metric], "winner"),
        Mark("median of all", _median(sweep, metric), "median"),
    ]
    if winner["neighbours_median"] is not None:
        marks.append(Mark("median of its neighbours", winner["neighbours_median"], "neighbours"))
    tests = summary.scrutiny
    if metric == "sharpe" and tests is not None and tests.deflated_sharpe is not None:
        chance = tests.deflated_sharpe
        marks.append(Mark(f"expected best of {chance.trials:,} without skill", chance.expected_maximum, "chance"))
    caption = f"{total:,} combinations that trade, net of costs." + (
        "" if metric == "sharpe" else " What chance alone would bring is known for the Sharpe ratio only."
    )
    title = f"Histogram of {label(metric)} over {total:,} combinations."
    chart = element("figure", distribution_chart(values, counts, marks, metric, title=title), class_="wide")
    return [chart, element("p", caption, class_="caption")]


def planes_figure(
    sweep: SweepRun, summary: Summary, effects: tuple[AxisEffect, ...], traded: pl.DataFrame
) -> list[Node]:
    """Heat maps over the two numeric parameters that matter most, one for each choice of the words."""
    numeric = [effect for effect in effects if effect.numeric]
    if len(numeric) < 2:
        text = "A heat map needs two parameters with several numbers each; this grid has fewer."
        return [element("p", text, class_="caption")]
    grid, metric = sweep.plan.grid, summary.metric
    x, y = sorted(numeric[:2], key=lambda effect: -len(effect.values))
    facets = _facet_axes(effects)
    cells = plane_medians(traded, grid.axes, metric, (x.name, y.name), [f.name for f in facets], most=MOST_CELLS)
    colours = colours_for(metric, cells["median"])
    winner = _winner_places(sweep, summary)
    plane = Plane(x.name, x.values, winner[x.name], y.name, y.values, winner[y.name])
    choices = list(itertools.product(*(range(len(facet.values)) for facet in facets)))
    maps = []
    for choice in choices:
        chosen = dict(zip((facet.name for facet in facets), choice, strict=True))
        words = ", ".join(f"{facet.name} = {facet.values[chosen[facet.name]]}" for facet in facets)
        drawn = plane_chart(
            cells.filter(*(pl.col(name) == place for name, place in chosen.items())),
            plane,
            colours,
            metric,
            width=FACET_WIDTH if len(choices) > 1 else SINGLE_WIDTH,
            marked=all(winner[name] == place for name, place in chosen.items()),
            title=f"Heat map of the median {metric} over {x.name} and {y.name}" + (f", {words}" if words else ""),
        )
        maps.append(element("div", element("h3", words) if words else None, drawn, class_="wide"))
    caption = (
        f"Median {label(metric)}, net, over all other parameters. {x.name} and {y.name} explain more of it "
        "than the other numbers do. The outlined cell holds the best combination; in an empty one none trades. "
    )
    return [
        element("figure", maps, class_="facets" if len(choices) > 1 else "facets single"),
        element("p", caption, colour_key(colours, metric), class_="caption"),
    ]


def axes_figure(sweep: SweepRun, summary: Summary, effects: tuple[AxisEffect, ...]) -> list[Node]:
    """One small chart for each parameter, all on one scale."""
    if not effects:
        return [element("p", "The grid varies no parameter.", class_="caption")]
    best = summary.best.row(0, named=True)[summary.metric]
    winner = _winner_places(sweep, summary)
    along = pl.concat([effect.along for effect in effects])
    low, high = (float(ends) for ends in (min(best, *along["low"]), max(best, *along["high"])))
    room = (high - low) * 0.05 or 0.5
    charts = (
        element(
            "div",
            element("h3", effect.name),
            element("p", _axis_caption(sweep, effect), class_="caption"),
            axis_chart(
                effect,
                summary.metric,
                limits=(low - room, high + room),
                winner=(winner[effect.name], best),
                title=f"{summary.metric} along {effect.name}: {_medians(effect, summary.metric)}",
            ),
        )
        for effect in effects
    )
    caption = (
        f"The {label(summary.metric)}, net: the median of all combinations that share a value, and "
        "their 5% to 95% band. The circle is the best combination. The share of the variance is what the parameter's "
        "own averages explain (the correlation ratio)."
    )
    return [element("figure", charts, class_="axes"), element("p", caption, class_="caption")]


def _median(sweep: SweepRun, metric: str) -> float:
    median = sweep.source.quantiles(sweep.statistics, metric, [0.5])[0]
    return np.nan if median is None else median


def _winner_places(sweep: SweepRun, summary: Summary) -> dict[str, int]:
    digits = sweep.plan.digits(summary.best["combination"].head(1).to_numpy())[0]
    return dict(zip(sweep.plan.grid.axes, digits.tolist(), strict=True))


def _facet_axes(effects: tuple[AxisEffect, ...]) -> list[AxisEffect]:
    """The axes of words that matter most, as many as there is room for."""
    chosen: list[AxisEffect] = []
    for effect in effects:
        if not effect.numeric and len(effect.values) * int(np.prod([len(f.values) for f in chosen])) <= MOST_FACETS:
            chosen.append(effect)
    return chosen


def _axis_caption(sweep: SweepRun, effect: AxisEffect) -> str:
    unit = documentation(sweep.plan.grid.strategy.parameters, effect.name).unit
    return f"{unit}; {effect.explained:.0%} of the variance"


def _medians(effect: AxisEffect, metric: str) -> str:
    """The ends of the medians, in words."""

    def of(place: int) -> Iterator[Any]:
        row = effect.along.row(place, named=True)
        yield from (effect.values[row["place"]], number_text(metric, row["median"]))

    return "median {1} at {0}, {3} at {2}.".format(*of(0), *of(-1))
