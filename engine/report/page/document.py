"""The report of a sweep as one HTML file that needs nothing else: no network, no script to be read, no font."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl
from pydantic import BaseModel

from engine.metrics import GROSS_METRICS, METRICS
from engine.report.page.evidence import evidence, walk_forward_windows
from engine.report.page.figures import axes_figure, distribution_figure, equity_figure, planes_figure
from engine.report.page.heading import heading, notes
from engine.report.page.labels import label
from engine.report.page.markup import Node, document_text, element, raw_element
from engine.report.page.sensitivity import axis_effects
from engine.report.page.tables import frame_table, table
from engine.report.questions import command, questions
from engine.strategies import documentation
from engine.sweep.grid import is_numeric_axis
from engine.sweep.run import SweepRun
from engine.sweep.summary import Summary
from parquet_store import Store
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced

__all__ = ["report_html", "write_report"]

FOLDER = "reports"
HINDSIGHT = "†"

_BENCHMARK = (
    "benchmark",
    "total_return",
    "gross_total_return",
    "cagr",
    "volatility",
    "sharpe",
    "gross_sharpe",
    "return_to_vol",
    "sortino",
    "calmar",
    "max_drawdown",
    "turnover",
)
_BEST = (
    "total_return",
    "gross_total_return",
    "max_drawdown",
    "volatility",
    "trades",
    "hit_rate",
    "exposure",
    "turnover",
)


def write_report(store: Store, sweep: SweepRun, summary: Summary) -> Path:
    """Write the report of a sweep to ``reports/<run_id>.html`` in the store, replacing the one of before.

    Parameters
    ----------
    store
        Where the report is kept. A reader sees the old file or the new one, never a part.
    sweep
        The run.
    summary
        What is known about it.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    path = store.root / FOLDER / f"{sweep.run.run_id}.html"
    staged = path.with_suffix(".html.new")
    with disk_faults_explained(f"the report {path} could not be written"):
        make_folder(path.parent)
        write_synced(staged, report_html(sweep, summary).encode())
        publish(staged, path)
    return path


def report_html(sweep: SweepRun, summary: Summary) -> str:
    """Return the report of a sweep as the text of an HTML file."""
    own = files("engine.report.page")
    head = (
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{sweep.plan.grid.strategy.title}: {sweep.run.run_id}"),
        raw_element("style", (own / "page.css").read_text(encoding="utf-8")),
    )
    script = raw_element("script", (own / "page.js").read_text(encoding="utf-8"))
    return document_text(
        head, [heading(sweep, summary), notes(summary), element("main", *_sections(sweep, summary)), script]
    )


def _sections(sweep: SweepRun, summary: Summary) -> list[Element]:
    metric = summary.metric
    looked_at = sweep.source.spread()
    traded = looked_at.filter(pl.col("trades") > 0)
    effects = axis_effects(traded, sweep.plan.grid.axes, metric)
    shown = label(metric)
    parts: list[tuple[str, list[Node]]] = []
    if not summary.best.is_empty():
        parts = [
            (f"The best {summary.best.height} by {shown}", _best(sweep, summary)),
            ("What the first of them is worth", _worth(sweep, summary)),
            ("Equity", equity_figure(sweep, summary)),
            ("All trials", distribution_figure(sweep, summary)),
            ("Peak or plateau", [*planes_figure(sweep, summary, effects, traded), *_drawn(sweep, looked_at)]),
            ("What each parameter does", [*axes_figure(sweep, summary, effects), *_drawn(sweep, looked_at)]),
        ]
    parts += [
        ("Benchmarks", _benchmarks(summary)),
        ("Questions to the ledger", _questions(questions(sweep, metric, [effect.name for effect in effects]))),
        ("Definitions", _definitions(sweep)),
    ]
    return [element("section", element("h2", title), content) for title, content in parts]


def _drawn(sweep: SweepRun, looked_at: pl.DataFrame) -> list[Node]:
    """Say so where a chart is drawn from a part of the combinations."""
    if looked_at.height >= sweep.run.tried:
        return []
    text = f"Drawn from {looked_at.height:,} of {sweep.run.tried:,} combinations, chosen at random."
    return [element("p", text, class_="caption")]


def _best(sweep: SweepRun, summary: Summary) -> list[Node]:
    metric, axes = summary.metric, tuple(sweep.plan.grid.axes)
    gross = (f"gross_{metric}",) if f"gross_{metric}" in GROSS_METRICS else ()
    marked = (HINDSIGHT,) if summary.best["hindsight"].any() else ()
    leading = (*axes, *marked, metric, *gross, "neighbours_median", "neighbours", "alike")
    mark = pl.when("hindsight").then(pl.lit(HINDSIGHT)).otherwise(pl.lit("")).alias(HINDSIGHT)
    made = frame_table(
        summary.best.with_columns(mark).select(*leading, *(name for name in _BEST if name not in leading)),
        headings={"neighbours": "of"},
        written_as={"neighbours_median": metric},
        first_strong=True,
    )
    caption = (
        "Net of costs unless marked gross. Neighbours: combinations at most one step away on every parameter with "
        "numbers that hold other positions, and how many of them have a value. Alike: combinations with these same "
        "positions, of which the first is shown."
        + (f" {HINDSIGHT} owes something to hindsight, see the notes above." if marked else "")
    )
    return [made, element("p", caption, class_="caption")]


def _worth(sweep: SweepRun, summary: Summary) -> list[Node]:
    rows = (
        element(
            "tr",
            element("td", item.name, class_="name"),
            element("td", item.figure, class_="figure"),
            element("td", item.text),
        )
        for item in evidence(sweep, summary)
    )
    made: list[Node] = [element("table", element("tbody", rows), class_="evidence")]
    windows = walk_forward_windows(sweep, summary)
    if windows is not None:
        caption = "Walk-forward, window by window: what was chosen by the past, and what it then earned, net of costs."
        headings = {"training_sharpe": "Sharpe in training", "sharpe": "Sharpe after"}
        made += [
            element("h3", "Walk-forward windows"),
            frame_table(windows, caption=caption, headings=headings, written_as={"training_sharpe": "sharpe"}),
        ]
    return made


def _benchmarks(summary: Summary) -> list[Node]:
    """Put the winner beside what would have been had without any choice."""
    rows = summary.benchmarks.select(_BENCHMARK)
    if not summary.best.is_empty():
        best = summary.best.head(1).with_columns(pl.lit("the best combination").alias("benchmark"))
        rows = pl.concat([best.select(_BENCHMARK), rows])
    caption = "Over the same days, filled at the first close of the sample and kept to the last, at the sweep's costs."
    return [frame_table(rows, caption=caption)]


def _questions(asked: tuple[tuple[str, str], ...]) -> list[Node]:
    made: list[Node] = [
        element(
            "p", "Every trial is in the ledger of the store. Add --store FOLDER where the store is not the default."
        )
    ]
    for question, statement in asked:
        made += [element("h3", question), element("pre", command(statement))]
    return made


def _definitions(sweep: SweepRun) -> list[Node]:
    grid = sweep.plan.grid
    parameters = []
    for name in grid.strategy.parameters.model_fields:
        known = documentation(grid.strategy.parameters, name)
        value = "swept" if name in grid.axes else _value(getattr(grid.fixed, name))
        documented = _range(known.documented) if known.documented else "-"
        parameters.append((element("code", name), value, known.unit, documented, known.meaning, known.source))
    metrics = [(element("code", metric.name), metric.unit, metric.definition) for metric in METRICS]
    equity = (
        "All metrics are computed from the equity at the closes of the sample, V_0 … V_{T-1}, starting from 1 before "
        "the first close, and its simple returns r. A year is 252 sessions. What cannot be computed is null. The "
        "figure before costs has the same name after gross_."
    )
    return [
        element("h3", "Metrics"),
        element("p", equity),
        table(("metric", "unit", "definition"), metrics),
        element("h3", "Parameters"),
        table(("parameter", "value", "unit", "documented", "meaning", "source"), parameters),
    ]


def _value(value: Any) -> str:
    """Write a parameter; one that has parts is written part by part."""
    if isinstance(value, BaseModel):
        return ", ".join(f"{name} {part}" for name, part in value.model_dump(mode="json").items())
    return "-" if value is None else str(value)


def _range(documented: Sequence[Any]) -> str:
    """Write the two ends of a range of numbers, or words one by one."""
    return (" to " if is_numeric_axis(documented) else ", ").join(str(value) for value in documented)
