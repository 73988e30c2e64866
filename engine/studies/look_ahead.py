"""Where the documents look ahead: the places, in words that a reader of the documents understands."""

from dataclasses import dataclass

__all__ = ["LOOK_AHEADS", "SAME_CLOSE", "LookAhead"]


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
        "what is called thirty days after a VIX jump is 22 rows of bitcoin's seven-day calendar, the first of them the "
        "jump's own day; traded, they are thirty calendar days from the bar of the day after",
        ("btc.vix_spike_days",),
    ),
)
"""The three places in which what is said to follow a signal had begun before it was known."""

SAME_CLOSE = LookAhead(
    "the close that gives the signal is the close that is bought",
    "what SPY does after a worst week, a cluster of declines or a fall of high yield is counted from the very close "
    "that completes the signal, and which weeks are the worst is known only when the sample is over; traded, SPY is "
    "bought at the next close",
    ("momentum.worst_weeks", "capitulation.breadth_clusters", "capitulation.hyg_drawdown_5pct"),
)
"""Not what was seen, but when it could be acted on."""
