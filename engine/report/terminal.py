"""A sweep on the terminal."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import polars as pl
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.report.frames import UNBOUNDED_WIDTH, console_for_output
from engine.report.numbers import number_text
from engine.report.questions import command, questions
from engine.sweep.run import SweepRun
from engine.sweep.scrutiny import Scrutiny
from engine.sweep.summary import Summary
from engine.sweep.verification import Verification

__all__ = ["render_sweep"]

# In the order in which they matter: what does not fit a narrow terminal is left out from the end.
_BEST = (
    "total_return",
    "gross_total_return",
    "max_drawdown",
    "trades",
    "hit_rate",
    "exposure",
    "volatility",
    "turnover",
)
_BENCHMARK = ("total_return", "gross_total_return", "sharpe", "max_drawdown", "cagr", "volatility", "return_to_vol")


def render_sweep(sweep: SweepRun, summary: Summary, console: Console | None = None) -> None:
    """Print a sweep: what was swept on which data, the best, all trials, the benchmarks."""
    console = console or console_for_output()
    for part in (
        _heading(sweep, summary),
        _best(sweep, summary, console),
        _distribution(summary),
        _benchmarks(summary, console),
        _scrutiny(summary),
    ):
        console.print(part)
        console.print()
    for note in summary.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))
    console.print()
    console.print(_further(sweep, summary))


def _further(sweep: SweepRun, summary: Summary) -> RenderableType:
    """Commands that go on from here; a line broken within the quotes is still the same statement."""
    grid = sweep.plan.grid
    plateau, *_ = questions(sweep, summary.metric, tuple(grid.axes))
    asked = [
        (plateau[0], command(plateau[1].replace("\n", " "))),
        ("What did the rule see on a day?", f"engine explain {grid.strategy.name} --date {sweep.run.last}"),
    ]
    lines = [line for question, text in asked for line in (Text(question, style="bold"), Text(f"  {text}"))]
    return Group(Text("Ask further; add --store FOLDER where the store is not the default."), *lines)


def _heading(sweep: SweepRun, summary: Summary) -> RenderableType:
    run, grid = sweep.run, sweep.plan.grid
    swept = ", ".join(f"{name} ({len(values)} values)" for name, values in grid.axes.items()) or "nothing"
    speed = f"{run.tried / run.seconds:,.0f} a second" if run.seconds else "at once"
    checked = summary.verification
    seen = f"{run.data_seen_at:%Y-%m-%d %H:%M} UTC" if run.data_seen_at else "unknown"
    lines = [
        ("sweep", f"{grid.strategy.title}" + (" — SIMULATED MARKET" if run.simulated else "")),
        ("grid", f"{run.combinations:,} combination{'s' if run.combinations > 1 else ''} of {swept}"),
        ("sample", f"{run.first} to {run.last}, {run.sessions:,} sessions, warm-up {run.warmup}"),
        ("data", f"stored by {seen}" + (f", read as of {run.as_of:%Y-%m-%d %H:%M} UTC" if run.as_of else "")),
        (
            "costs",
            f"{run.commission_bps:g} + {run.slippage_bps:g} basis points of traded notional, every leg, both ways",
        ),
        (
            "evaluated",
            f"by {run.backend} in {timedelta(seconds=round(run.seconds))} ({speed}); "
            f"{'' if run.distinct_exact else 'about '}{run.distinct:,} combinations hold different positions"
            + ("; from the ledger" if sweep.reused else ""),
        ),
        *(() if checked is None else (("checked", checked_text(checked)),)),
        (
            "trades",
            f"{summary.never_traded:,} never traded; {summary.without_meaning:,} have no meaning and were left out",
        ),
        ("run", run.run_id),
    ]
    table = Table.grid(padding=(0, 2))
    for name, text in lines:
        table.add_row(Text(name, style="bold"), text)
    return table


def checked_text(checked: Verification) -> str:
    """Say how far the evaluation differs from vectorbt's."""
    return (
        f"{checked.combinations:,} combinations evaluated again by vectorbt, all that are named here among them: "
        f"largest difference {checked.largest_difference:.1e}"
    )


def _best(sweep: SweepRun, summary: Summary, console: Console) -> RenderableType:
    if summary.best.is_empty():
        return Text("No combination ever traded: there is nothing to rank.")
    columns = (*sweep.plan.grid.axes, summary.metric, "neighbours_median", "alike")
    columns += tuple(name for name in _BEST if name not in columns)
    title = (
        f"The best {summary.best.height} by {summary.metric}, net of costs; neighbours median: of the combinations one "
        "step away that hold other positions; alike: combinations with these same positions"
    )
    return _fitting_table(title, summary.best, columns, summary.metric, console)


def _distribution(summary: Summary) -> RenderableType:
    title = "All combinations that trade"
    if summary.positive is not None:
        title += f": {summary.positive:.1%} have a net total return above 0"
    table = _empty_table(title)
    table.add_column("quantile")
    for name in summary.distribution.columns[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in summary.distribution.iter_rows(named=True):
        name = row.pop("metric")
        table.add_row(name.replace("_", " "), *(number_text(name, value) for value in row.values()))
    return table


def _benchmarks(summary: Summary, console: Console) -> RenderableType:
    columns = ("benchmark", *_BENCHMARK)
    title = "Over the same days, filled at the first close"
    return _fitting_table(title, summary.benchmarks, columns, "benchmark", console)


def _scrutiny(summary: Summary) -> RenderableType:
    scrutiny = summary.scrutiny
    if scrutiny is None:
        return Text("")
    table = Table.grid(padding=(0, 2))
    for name, text in (
        ("deflated Sharpe ratio", _deflated_sharpe_text(scrutiny)),
        ("overfitting", _overfitting_text(scrutiny)),
        ("superior ability", _superior_ability_text(scrutiny)),
        ("walk-forward", _walk_forward_text(scrutiny)),
    ):
        table.add_row(Text(name, style="bold"), text or "not enough data")
    return Group(Text("What the first of them is worth", style="italic"), table)


def _deflated_sharpe_text(scrutiny: Scrutiny) -> str | None:
    test = scrutiny.deflated_sharpe
    return (
        None
        if test is None
        else (
            f"{test.probability:.3f}: probability that its true Sharpe ratio (measured {test.sharpe:.3f}) is above the "
            f"{test.expected_maximum:.3f} to be expected of the best of {test.trials:,} trials without skill"
        )
    )


def _overfitting_text(scrutiny: Scrutiny) -> str | None:
    test = scrutiny.overfitting
    return (
        None
        if test is None
        else (
            f"{test.probability:.0%} of {test.splits:,} splits: the best of one half of the sample is below the median "
            f"of {test.trials:,} trials in the other"
        )
    )


def _superior_ability_text(scrutiny: Scrutiny) -> str | None:
    test = scrutiny.superior_ability
    return (
        None
        if test is None
        else f"p = {test.p_value:.3f} that the best of {test.trials:,} trials does no better than nothing"
    )


def _walk_forward_text(scrutiny: Scrutiny) -> str | None:
    test = scrutiny.walk_forward
    return (
        None
        if test is None
        else (
            f"Sharpe {number_text('sharpe', test.sharpe)}, total return {test.total_return:+.1%} over "
            f"{test.windows.height} windows of a year, each time with the best of the three years before; "
            "going over from one to the next is not charged"
        )
    )


def _fitting_table(title: str, frame: pl.DataFrame, columns: Sequence[str], always: str, console: Console) -> Table:
    """Leave out columns, the last ones first, until the table fits the terminal, and say which; ``always`` stays."""
    shown = list(columns)
    table = _table(title, frame, shown)
    unbounded = console.options.update(max_width=UNBOUNDED_WIDTH)
    while len(shown) > 1 and console.measure(table, options=unbounded).maximum > console.width:
        shown.remove(next(name for name in reversed(shown) if name != always))
        table = _table(title, frame, shown)
    if left_out := [name.replace("_", " ") for name in columns if name not in shown]:
        table.caption = "No room for " + ", ".join(left_out)
        table.caption_justify = "left"
    return table


def _table(title: str, frame: pl.DataFrame, columns: Sequence[str]) -> Table:
    table = _empty_table(title)
    for name in columns:
        justify: Literal["left", "right"] = "left" if frame[name].dtype == pl.String else "right"
        table.add_column(name.replace("_", "\n"), justify=justify, no_wrap=True, vertical="bottom")
    for row in frame.select(columns).iter_rows(named=True):
        table.add_row(*(number_text(name, value) for name, value in row.items()))
    return table


def _empty_table(title: str) -> Table:
    return Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
