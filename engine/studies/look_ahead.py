"""Where the documents look ahead: the places, in words that a reader of the documents understands."""

from dataclasses import dataclass

__all__ = ["LOOK_AHEADS", "LookAhead"]


@dataclass(frozen=True)
class LookAhead:
    """One convention by which a published figure knows what nobody knew.

    Attributes
    ----------
    title
        In a few words.
    explanation
        What the document does, and what the tradable figure does instead.
    figures
        Published figures that rest on it: ids, or the keys of their tables.
    """

    title: str
    explanation: str
    figures: tuple[str, ...]


LOOK_AHEADS = (
    LookAhead(
        "the return of the day that reveals the regime",
        "the VIX regime of a day is known at that day's close, yet the document credits the regime with that day's own "
        "return; a day on which VIX jumps is a day on which SPY falls, so the fall is counted as if one had been out "
        "before it; traded, a regime owns the return of the day after next",
        ("vix.returns_by_regime",),
    ),
    LookAhead(
        "the month that begins with the day of the signal",
        "what SPY or bitcoin does after a signal is counted from the close before the signal's own day, so the move "
        "that sets the signal off is part of what is said to follow it; traded, the month begins at the close after "
        "the signal's",
        ("capitulation.forward_1m", "btc.vix_spike_days"),
    ),
    LookAhead(
        "thirty days that are 22",
        "what is called thirty days is 22 rows of a table: 22 calendar days for bitcoin and, for SPY, 21 sessions from "
        "the very close that gives the signal; traded, bitcoin's are thirty calendar days and SPY's month is 21 "
        "sessions from the next close",
        ("btc.vix_spike_days", "momentum.worst_weeks"),
    ),
)
