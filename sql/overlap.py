"""Which files of a table may share a key with another: only these pay for finding the latest row of each key."""

from collections.abc import Iterable, Sequence
from datetime import date

from parquet_store import FileEntry

__all__ = ["split_by_overlap"]

_Span = tuple[date, date, int]


def split_by_overlap(entries: Sequence[FileEntry]) -> tuple[list[FileEntry], list[FileEntry]]:
    """Split a table's files into those that hold each of their keys alone, and the rest, each in the given order.

    Two files may share a key if they hold a series in common and their ranges of dates meet. A file with revisions of
    its own rows holds a key twice by itself.
    """
    shared = {number for number, entry in enumerate(entries) if not entry.unique_keys}
    ranged = [
        (entry.first, entry.last, number)
        for number, entry in enumerate(entries)
        if entry.first is not None and entry.last is not None
    ]
    if len(ranged) < len(entries):
        return [], list(entries)
    listed: dict[str, list[_Span]] = {}
    for span in ranged:
        for name in entries[span[2]].series or ():
            listed.setdefault(name, []).append(span)
    for spans in listed.values():
        shared |= _meeting(spans)
    unlisted = [span for span in ranged if entries[span[2]].series is None]
    if unlisted:
        shared |= _meeting(ranged)
    return (
        [entry for number, entry in enumerate(entries) if number not in shared],
        [entry for number, entry in enumerate(entries) if number in shared],
    )


def _meeting(spans: Iterable[_Span]) -> set[int]:
    """Return the numbers of the spans that meet another one."""
    meeting: set[int] = set()
    latest: _Span | None = None
    for span in sorted(spans):
        if latest is not None and span[0] <= latest[1]:
            meeting |= {latest[2], span[2]}
        if latest is None or span[1] > latest[1]:
            latest = span
    return meeting
