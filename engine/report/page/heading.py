"""The head of the page: what was swept on which data, what came out in one paragraph, and what must be said with it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

from engine.report.numbers import number_text
from engine.report.page.labels import label
from engine.report.page.markup import element
from engine.report.terminal import checked_text
from engine.sweep.grid import is_numeric_axis
from engine.sweep.run import SweepRun
from engine.sweep.summary import Summary

__all__ = ["heading", "notes"]

WORDS_SHOWN = 6


def heading(sweep: SweepRun, summary: Summary) -> Element:
    """Say what was swept, what came out, and where the numbers come from."""
    run = sweep.run
    return element(
        "header",
        element("p", "SIMULATED MARKET", class_="simulated") if run.simulated else None,
        element("p", f"Sweep of the grid {run.grid_name}, {run.first} to {run.last}", class_="kicker"),
        element("h1", sweep.plan.grid.strategy.title),
        element("p", _outcome(sweep, summary), class_="lead"),
        element("dl", _facts(sweep, summary), class_="facts"),
    )


def notes(summary: Summary) -> Element | None:
    """Return the sentences that must stand beside the numbers; None if there are none."""
    if not summary.notes:
        return None
    sentences = (element("p", f"Note: {text}.") for text in summary.notes)
    return element("section", sentences, class_="notes", aria_label="Notes")


def _outcome(sweep: SweepRun, summary: Summary) -> str:
    """The result in one paragraph: the winner, what it is held against, and all the others."""
    if summary.best.is_empty():
        return "No combination ever traded: there is nothing to rank."
    winner = summary.best.row(0, named=True)
    others = "; ".join(
        f"{row['benchmark']}, {number_text('total_return', row['total_return'])} "
        f"(Sharpe ratio {number_text('sharpe', row['sharpe'])})"
        for row in summary.benchmarks.iter_rows(named=True)
    )
    return (
        f"The best of {sweep.run.tried:,} combinations by {label(summary.metric)} earned "
        f"{number_text('total_return', winner['total_return'])} net of costs, with a Sharpe ratio of "
        f"{number_text('sharpe', winner['sharpe'])} and a maximum drawdown of "
        f"{number_text('max_drawdown', winner['max_drawdown'])}, in {winner['trades']:,} trades. "
        f"Over the same days: {others}. Of all combinations that trade, {summary.positive or 0.0:.1%} earned anything."
    )


def _facts(sweep: SweepRun, summary: Summary) -> list[Element]:
    run = sweep.run
    seen = f"stored by {run.data_seen_at:%Y-%m-%d %H:%M} UTC" if run.data_seen_at else "stored at an unknown time"
    read = f"read as of {run.as_of:%Y-%m-%d %H:%M} UTC" if run.as_of else "everything in the store"
    facts = {
        "Grid": f"{run.combinations:,} combinations: {_swept(sweep)}",
        "Sample": f"{run.first} to {run.last}, {run.sessions:,} sessions, warm-up {run.warmup}",
        "Costs": f"{run.commission_bps:g} + {run.slippage_bps:g} basis points (commission + slippage) of traded "
        "notional, every leg, both ways",
        "Timing": "decided on what is known at a close, traded at the next close, earning from then on",
        "Data": f"{'simulated, ' if run.simulated else ''}{seen}, {read}; fingerprint {run.data_fingerprint}",
        "Trials": f"{'' if run.distinct_exact else 'about '}{run.distinct:,} combinations hold different positions; "
        f"{summary.never_traded:,} never traded; {summary.without_meaning:,} have no meaning and were left out",
        "Evaluated": f"by {run.backend} in {timedelta(seconds=round(run.seconds))}, started "
        f"{run.started_at:%Y-%m-%d %H:%M} UTC" + (", read from the ledger" if sweep.reused else ""),
        **({} if summary.verification is None else {"Checked": checked_text(summary.verification)}),
        "Code": run.code_version,
        "Run": run.run_id,
    }
    return [part for name, text in facts.items() for part in (element("dt", name), element("dd", text))]


def _swept(sweep: SweepRun) -> str:
    axes = sweep.plan.grid.axes
    return "; ".join(f"{name} {_values(values)}" for name, values in axes.items()) or "nothing is swept"


def _values(values: Sequence[Any]) -> str:
    if len(values) > 1 and is_numeric_axis(values):
        return f"{values[0]:g} to {values[-1]:g} ({len(values)} values)"
    shown = ", ".join(str(value) for value in values[:WORDS_SHOWN])
    return shown + (f", … ({len(values)} values)" if len(values) > WORDS_SHOWN else "")
