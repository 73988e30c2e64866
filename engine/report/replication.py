"""The replication on the terminal: table by table, what does not come out, and where the documents look ahead."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from rich.console import Console, RenderableType
from rich.text import Text

from engine.report.figures import figure_text, interval_text
from engine.report.frames import console_for_output
from engine.report.tables import field_table, simulated_banner, text_table
from engine.studies import Figure
from engine.studies.look_ahead import LOOK_AHEADS, SAME_CLOSE, LookAhead
from engine.studies.replication import Replication

__all__ = ["render_replication"]

_COLUMNS = ("figure", "published", "reproduced", "", "tradable", "95% interval", "n", "episodes", "why")
_RIGHT = ("published", "reproduced", "tradable", "95% interval", "n", "episodes", "why")


def render_replication(replication: Replication, console: Console | None = None) -> None:
    """Print every figure; after each table the reasons that its last column numbers."""
    console = console or console_for_output()
    console.print(_heading(replication))
    for key, group in groupby(replication.figures, key=_table_of):
        console.print()
        for part in _table(replication, key, list(group)):
            console.print(part)
    for part in _conclusion(replication):
        console.print()
        console.print(part)


def _heading(replication: Replication) -> RenderableType:
    history = replication.history
    as_of = history.panel.as_of
    fields = [
        *simulated_banner(simulated=history.panel.simulated),
        ("sample", f"{history.sample.first} to {history.sample.last}, {history.panel.sessions:,} sessions"),
        ("data as of", f"{as_of:%Y-%m-%d %H:%M} UTC" if as_of else "all that is stored"),
        ("last stored", f"{history.panel.seen_at:%Y-%m-%d %H:%M} UTC" if history.panel.seen_at else "unknown"),
        ("run", replication.run_id),
        (
            "columns",
            "published: by the document; reproduced: by its own convention, = where every printed digit comes out",
        ),
        ("", "tradable: known at a close, traded at the next; interval: 95%, of the tradable figure"),
    ]
    return field_table(fields)


def _table_of(figure: Figure) -> str:
    return ".".join(figure.id.split(".")[:-1][:2])


def _table(replication: Replication, key: str, figures: Sequence[Figure]) -> Iterator[RenderableType]:
    reasons = list(dict.fromkeys(figure.reason for figure in figures if figure.reason))
    rows = [_row(replication, key, figure, reasons) for figure in figures]
    yield text_table(key, _COLUMNS, rows, right=_RIGHT)
    for number, reason in enumerate(reasons, start=1):
        yield Text(f"  {number}  {reason}", style="dim")


def _row(replication: Replication, key: str, figure: Figure, reasons: Sequence[str]) -> tuple[str, ...]:
    decimals = _decimals(replication.published.figures[figure.id].printed)
    agrees = replication.reproduced(figure)
    reproduced = figure_text(figure.reproduced, decimals)
    return (
        figure.id.removeprefix(f"{key}."),
        figure_text(figure.published, decimals),
        reproduced,
        "" if agrees is None or figure.reproduced is None else "=" if agrees else "≠",
        figure_text(figure.tradable, decimals),
        interval_text(figure, decimals),
        "-" if figure.n is None else f"{figure.n:,}",
        "-" if figure.episodes is None else f"{figure.episodes:,}",
        str(reasons.index(figure.reason) + 1) if figure.reason else "",
    )


def _decimals(printed: object) -> int | None:
    """Digits after the point of what is printed; one more than none where a computed figure stands beside words."""
    if isinstance(printed, tuple):
        return max((digits for digits in map(_decimals, printed) if digits is not None), default=None)
    return -int(printed.as_tuple().exponent) if isinstance(printed, Decimal) else None


def _conclusion(replication: Replication) -> Iterator[RenderableType]:
    results, contradicted = replication.of_kind("result"), replication.of_kind("contradicted")
    absent, words = replication.of_kind("no public data"), replication.of_kind("words")
    yield Text(
        f"{_score(replication, results)} reproducible figures come out to the printed digit. With the "
        f"{len(contradicted)} that public data contradict it is {_score(replication, (*results, *contradicted))}; for "
        f"{len(absent)} there are no public data. {_score(replication, replication.of_kind('setting'))} ranges, "
        f"thresholds and confidences are the engine's own; {len(words)} figures are words and not counted. "
        f"{replication.seconds:.1f} s.",
        style="bold",
    )
    out = [figure for figure in results if not replication.reproduced(figure)]
    yield from _differences("What does not come out", out)
    yield from _differences("What public data contradict", contradicted)
    yield from _differences("What no public data give back", absent)
    yield from _differences("What is told in words", words)
    yield Text("The documents look ahead in three places:", style="bold")
    yield from map(_place, LOOK_AHEADS)
    yield Text("And where they do not, they may still buy too early:", style="bold")
    yield _place(SAME_CLOSE)
    notes = dict.fromkeys(f"{study}: {note}" for study, sentences in replication.notes.items() for note in sentences)
    if notes:
        yield Text("\n".join(f"Note, {note}." for note in notes), style="yellow")


def _score(replication: Replication, figures: Sequence[Figure]) -> str:
    """How many of some figures come out, and their share."""
    found = sum(replication.reproduced(figure) is True for figure in figures)
    return f"{found} of {len(figures)} ({found / len(figures):.1%})" if figures else "0 of 0"


def _place(place: LookAhead) -> RenderableType:
    return Text(f"{place.title}: {place.explanation}.\n  ({', '.join(place.figures)})")


def _differences(title: str, figures: Sequence[Figure]) -> Iterator[RenderableType]:
    if figures:
        rows = [
            (figure.id, figure_text(figure.published), figure_text(figure.reproduced), figure.reason or "")
            for figure in figures
        ]
        yield text_table(title, ("figure", "published", "the data give", "because"), rows)
