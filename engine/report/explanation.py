"""A day explained, on the terminal and as JSON."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.explain import ConditionVerdict, Explanation, InsightRuleVerdict
from engine.report.frames import console_for_output
from engine.report.tables import field_table, moment_text, text_table, value_text
from engine.strategies.strategy import POSTURE_MASK

__all__ = ["explanation_json", "render_explanation"]


def explanation_json(explanation: Explanation) -> str:
    """Return all of it as one JSON object; dates and moments in ISO form, what is undefined null."""
    return json.dumps(asdict(explanation), default=str, indent=2, allow_nan=False)


def render_explanation(explanation: Explanation, console: Console | None = None) -> None:
    """Print a day: the data, the conditions, the rule, the trade."""
    console = console or console_for_output()
    for part in (
        _heading(explanation),
        _conditions(explanation.conditions),
        *([_insight_rules(explanation.insight_rules)] if explanation.insight_rules else ()),
        _rule(explanation),
        _legs(explanation),
        _inputs(explanation),
    ):
        console.print(part)
        console.print()
    for note in explanation.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def _heading(explanation: Explanation) -> Table:
    market = " — SIMULATED MARKET" if explanation.simulated else ""
    read = f", read as of {moment_text(explanation.as_of)}" if explanation.as_of else ""
    parameters = ", ".join(f"{name} = {value_text(value)}" for name, value in explanation.parameters.items())
    return field_table(
        (
            ("strategy", explanation.title + market),
            ("day", f"the close of {explanation.day}; the rule began on {explanation.first}, without a position"),
            ("data", f"stored by {moment_text(explanation.seen_at)}{read}"),
            ("parameters", parameters),
        )
    )


def _conditions(conditions: tuple[ConditionVerdict, ...]) -> Table:
    rows = [
        (
            str(each.bit),
            each.text,
            _number(each.value),
            each.relation,
            _number(each.threshold),
            ("yes" if each.met else "no") + (f" (undefined: {each.undefined})" if each.undefined else ""),
            ", ".join(f"{name} = {value_text(value)}" for name, value in each.parameters.items()),
        )
        for each in conditions
    ]
    columns = ("bit", "condition", "value", "relation", "threshold", "met", "with")
    return text_table("Conditions at the close", columns, rows, right=("bit", "value", "threshold"))


def _insight_rules(rules: tuple[InsightRuleVerdict, ...]) -> Table:
    rows = [
        (each.name, ", ".join(map(str, each.bits)), "yes" if each.fires else "no", f"{each.confidence:g}", each.claim)
        for each in rules
    ]
    columns = ("rule", "bits", "fires", "confidence", "claims")
    return text_table("Rules of the document at the close", columns, rows, right=("confidence",))


def _rule(explanation: Explanation) -> Table:
    earned = "" if explanation.held_return is None else f", {explanation.held_return:+.2%} gross since its fill"
    since = (
        " (no position)" if explanation.held_since is None else f" since the close of {explanation.held_since}{earned}"
    )
    met = [str(each.bit) for each in explanation.conditions if each.met]
    return field_table(
        (
            ("code", f"{explanation.code}: bits {', '.join(met)}" if met else "0: no condition is met"),
            (
                "state",
                f"{_state(explanation.state_before)} before the close, {_state(explanation.state_after)} after it",
            ),
            ("held", f"{explanation.posture_held}{since}"),
            ("wanted", explanation.posture_wanted),
            ("next trade", explanation.trade),
        )
    )


def _state(state: int) -> str:
    """Write a state with what the rule remembers beyond the posture that it wants."""
    memory = state // (POSTURE_MASK + 1)
    return f"{state} (posture {state & POSTURE_MASK}, memory {memory})" if memory else str(state)


def _legs(explanation: Explanation) -> Table:
    rows = [(leg.leg, _weight(leg.held), _weight(leg.wanted)) for leg in explanation.legs]
    title = "Target weights, fractions of equity"
    wanted = f"wanted at the close of {explanation.next_session}"
    return text_table(title, ("leg", "held", wanted), rows, right=("held", wanted))


def _inputs(explanation: Explanation) -> Table:
    rows = [
        (each.series, _number(each.value), str(each.dated or "-"), moment_text(each.known_at) if each.known_at else "-")
        for each in explanation.inputs
    ]
    return text_table(
        "What was known (prices: total-return indices)",
        ("series", "value", "dated", "known at"),
        rows,
        right=("value",),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _weight(value: float) -> str:
    return f"{value:+.4g}" if value else "0"
