"""The replication on the terminal: table by table, what does not come out, and where the documents look ahead."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from rich.console import Console, RenderableType
from rich.text import Text

from engine.report.figures import figure_text, interval_text
from engine.report.frames import console_for_output
from engine.report.tables import field_table, text_table
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
    if history.panel.simulated:
        fields.insert(0, ("SIMULATED", "the data are made up: no figure here says anything about a market"))
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
        "=" if agrees else "≠" if figure.reproduced is not None else "",
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
    results, settings = replication.of_kind("result"), replication.of_kind("setting")
    out = [figure for figure in results if not replication.reproduced(figure)]
    known = sum(map(replication.reproduced, settings))
    share = (len(results) - len(out)) / len(results)
    yield Text(
        f"{len(results) - len(out)} of {len(results)} reproducible figures come out to the printed digit "
        f"({share:.1%}); {known} of {len(settings)} ranges, thresholds and confidences are the engine's own. "
        f"{replication.seconds:.1f} s.",
        style="bold",
    )
    yield from _differences("What does not come out", out)
    yield from _differences("What public data contradict or cannot give back", replication.of_kind("not reproducible"))
    yield Text("The documents look ahead in three places:", style="bold")
    yield from map(_place, LOOK_AHEADS)
    yield Text("And where they do not, they may still buy too early:", style="bold")
    yield _place(SAME_CLOSE)
    notes = dict.fromkeys(f"{study}: {note}" for study, sentences in replication.notes.items() for note in sentences)
    if notes:
        yield Text("\n".join(f"Note, {note}." for note in notes), style="yellow")


def _place(place: LookAhead) -> RenderableType:
    return Text(f"{place.title}: {place.explanation}.\n  ({', '.join(place.figures)})")


def _differences(title: str, figures: Sequence[Figure]) -> Iterator[RenderableType]:
    if figures:
        rows = [
            (figure.id, figure_text(figure.published), figure_text(figure.reproduced), figure.reason or "")
            for figure in figures
        ]
        yield text_table(title, ("figure", "published", "the data give", "because"), rows)
