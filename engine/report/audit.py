"""A look-ahead audit on the terminal and as JSON."""

import json
import math
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from engine.audit import Audit, Leak
from engine.report.frames import console_for_output
from engine.report.numbers import number_text
from engine.report.tables import field_table, text_table, value_text

__all__ = ["audit_json", "render_audit"]

_HEADLINE = (
    "total_return",
    "gross_total_return",
    "cagr",
    "volatility",
    "sharpe",
    "max_drawdown",
    "trades",
    "hit_rate",
    "exposure",
    "turnover",
)


def audit_json(audit: Audit) -> str:
    """Return an audit as one JSON object; ``clean`` tells whether nothing leaks, undefined numbers are null."""
    content = {
        "clean": not audit.leaks,
        **{name: value for name, value in asdict(audit).items() if name not in {"leaks", "delays"}},
        "leaks": [_leak_values(leak) for leak in audit.leaks],
        "delays": audit.delays.to_dicts(),
    }
    return json.dumps(content, default=str, indent=2, allow_nan=False)


def _leak_values(leak: Leak) -> dict[str, Any]:
    numbers = {"before": leak.before, "after": leak.after}
    return {**asdict(leak), **{name: None if math.isnan(value) else value for name, value in numbers.items()}}


def render_audit(audit: Audit, console: Console | None = None) -> None:
    """Print an audit: what was checked, the verdict, what leaks, and what the day of the fill is worth."""
    console = console or console_for_output()
    parts = [_heading(audit), _verdict(audit), *([_leaks(audit)] if audit.leaks else []), _delays(audit)]
    for part in parts:
        console.print(part)
        console.print()
    for note in audit.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def _heading(audit: Audit) -> Table:
    market = " — SIMULATED MARKET" if audit.simulated else ""
    seen = f"{audit.seen_at:%Y-%m-%d %H:%M} UTC" if audit.seen_at else "unknown"
    read = f", read as of {audit.as_of:%Y-%m-%d %H:%M} UTC" if audit.as_of else ""
    checked, histories = audit.checked, audit.checked.histories
    combinations = [_parameters(audit, number) for number in range(len(checked.combinations))]
    return field_table(
        (
            ("audit", audit.title + market),
            ("sample", f"{audit.first} to {audit.last}, {audit.sessions:,} sessions"),
            ("data", f"stored by {seen}{read}"),
            ("combinations", "\n".join(combinations)),
            (
                "histories",
                f"{histories['cut off']:,} cut off, {histories['noise']:,} with noise after the cut, "
                f"{histories['cut off, with holes']:,} with holes and cut off",
            ),
            (
                "compared",
                f"{checked.entries:,} entries: values, thresholds and verdicts of {checked.conditions} conditions, "
                "numbers of the rule, target weights, codes, states, held returns, positions, returns",
            ),
        )
    )


def _parameters(audit: Audit, number: int) -> str:
    given = audit.checked.combinations[number]
    return ", ".join(f"{name} = {value_text(value)}" for name, value in given.items()) or "the defaults"


def _verdict(audit: Audit) -> RenderableType:
    if audit.leaks:
        first = audit.leaks[0]
        also = f" {len(audit.leaks) - 1} other things change with it." if len(audit.leaks) > 1 else ""
        text = f"LOOK-AHEAD with {_parameters(audit, first.combination)}: {_sentence(first)}.{also}"
        return Text(text, style="bold red")
    return Text(
        "No look-ahead found: every entry is the same, bit for bit, whatever came after the cut. "
        "Knowledge of the past that is written into the code or its parameters is beyond this test.",
        style="bold",
    )


def _sentence(leak: Leak) -> str:
    ways = {
        "cut off": f"when the history ends on {leak.cut}",
        "noise": f"when noise takes the place of all that follows {leak.cut}",
        "cut off, with holes": f"when it ends on {leak.cut}, both with the same holes",
    }
    return (
        f"{_what(leak)} on {leak.day} is {_entry(leak, leak.before)} on the whole history, and "
        f"{_entry(leak, leak.after)} {ways[leak.history]}"
    )


def _what(leak: Leak) -> str:
    return f"the {leak.kind}" + (f" of {leak.name!r}" if leak.name else "")


def _entry(leak: Leak, value: float) -> str:
    if leak.kind == "verdict":
        return "met" if value else "not met"
    return "undefined" if math.isnan(value) else repr(value) if leak.kind != "code" else str(int(value))


def _leaks(audit: Audit) -> Table:
    rows = [
        (
            str(leak.day),
            leak.kind,
            leak.name,
            _entry(leak, leak.before),
            _entry(leak, leak.after),
            leak.history,
            str(leak.cut),
        )
        for leak in audit.leaks
    ]
    columns = ("first day", "what", "of", "whole history", "other history", "other history is", "after")
    return text_table("What changes with the future", columns, rows)


def _delays(audit: Audit) -> Table:
    names = {0: "same close: look-ahead, not tradable", 1: "next close: the law"}
    fills = audit.delays.to_dicts()
    columns = [names.get(fill["delay"], f"{fill['delay']} closes later") for fill in fills]
    rows = [(name.replace("_", " "), *(number_text(name, fill[name]) for fill in fills)) for name in _HEADLINE]
    title = f"Net of costs, by the close at which decisions are filled; {_parameters(audit, 0)}"
    return text_table(title, ("metric", *columns), rows, right=columns)
