"""The monitor, on the terminal and as JSON."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.monitor import Monitor, RuleState, SeriesState, StrategyState
from engine.report.frames import console_for_output
from engine.report.tables import field_table, moment_text, text_table, value_text

__all__ = ["monitor_json", "render_monitor"]


def monitor_json(monitor: Monitor) -> str:
    """Return all of it as one JSON object; dates and moments in ISO form, what is undefined null."""
    return json.dumps(asdict(monitor), default=str, indent=2, allow_nan=False)


def render_monitor(monitor: Monitor, console: Console | None = None) -> None:
    """Print one screen: the strategies, the rules that fire, the series behind them."""
    console = console or console_for_output()
    for part in (
        _heading(monitor),
        _strategies(monitor.strategies),
        _rules(monitor.rules),
        _series(monitor.series),
    ):
        console.print(part)
        console.print()
    for state in monitor.strategies:
        if state.unavailable is not None:
            console.print(Text(f"{state.strategy} says nothing: {state.unavailable}.", style="yellow"))
    for note in monitor.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def _heading(monitor: Monitor) -> Table:
    market = " — SIMULATED MARKET" if monitor.simulated else ""
    read = f", read as of {moment_text(monitor.as_of)}" if monitor.as_of else ""
    return field_table(
        (
            ("close of", f"{monitor.day}{market}"),
            ("next trade", f"at the close of {monitor.next_session}"),
            ("data", f"stored by {moment_text(monitor.seen_at)}{read}"),
        )
    )


def _strategies(states: tuple[StrategyState, ...]) -> Table:
    rows = [
        (
            each.strategy,
            each.regime or "-",
            each.held or "-",
            str(each.held_since or "-"),
            "-" if each.held_return is None else f"{each.held_return:+.2%}",
            each.trade or "says nothing, see below",
            _stand_in(each),
        )
        for each in states
    ]
    columns = ("strategy", "regime from now on", "held", "since", "earned", "next trade", "stands in")
    return text_table("Strategies at their default parameters", columns, rows, right=("earned",))


def _rules(rules: tuple[RuleState, ...]) -> Table:
    rows = [
        (
            each.rule.name,
            "FIRES" if each.rule.fires else "no",
            f"{each.rule.confidence:g}" + (", less by the stand-in" if each.stand_in else ""),
            each.rule.title,
            each.rule.claim,
        )
        for each in rules
    ]
    return text_table("Rules of the documents", ("rule", "fires", "confidence", "when", "claims"), rows)


def _series(series: tuple[SeriesState, ...]) -> Table:
    rows = [
        (
            each.series,
            "-" if each.value is None else f"{each.value:.6g}",
            each.unit,
            str(each.dated or "-"),
            "-" if each.known_at is None else moment_text(each.known_at),
            "-" if each.days_old is None else str(each.days_old),
            _staleness(each),
        )
        for each in series
    ]
    columns = ("series", "value", "unit", "dated", "known at", "days old", "stale")
    return text_table("What was known at the close", columns, rows, right=("value", "days old"))


def _stand_in(state: StrategyState) -> str:
    """Write the parameters by which something else is read, as `--set` takes them."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in (state.stand_in or {}).items())


def _staleness(series: SeriesState) -> str:
    if not series.stale:
        return "no"
    what = "ABSENT" if series.dated is None else f"STALE, more than {series.stale_after_days} days"
    return f"{what}; proxy {', '.join(series.proxies)}" if series.proxies else what
