"""Whether a sample holds enough of the series that a study needs for anything to be said of them."""

from collections.abc import Iterable

import numpy as np

from engine.panel import NEXT_MORNING
from engine.studies.errors import StudyError
from engine.studies.history import History

__all__ = ["LEAST_CHANGES", "require_changes"]

LEAST_CHANGES = 2
"""A standard deviation needs as many."""


def require_changes(history: History, series: Iterable[str]) -> None:
    """Refuse a sample in which some series hardly ever change together.

    A change is a session with a value of its own after another with one.

    Parameters
    ----------
    series
        All that a study needs, named as in the panel.

    Raises
    ------
    StudyError
        Fewer than `LEAST_CHANGES`, of one of them or of all on the same sessions; the message names those.
    """
    known = {name.removesuffix(NEXT_MORNING): ~np.isnan(history.closes(name)) for name in series}
    if not known:
        return
    changed = {name: values[1:] & values[:-1] for name, values in known.items()}
    lacking = [name for name, values in changed.items() if values.sum() < LEAST_CHANGES]
    together = np.logical_and.reduce(list(changed.values()))
    if not lacking and together.sum() >= LEAST_CHANGES:
        return
    who = f"{', '.join(lacking)} {'has' if len(lacking) == 1 else 'have'}" if lacking else f"{', '.join(known)} have"
    remedy = "longer sample" if len(history.dates) <= LEAST_CHANGES else "sample that has them, or other series"
    message = (
        f"{who} fewer than {LEAST_CHANGES} daily changes{'' if lacking else ' in common'} in "
        f"{history.sample.first}..{history.sample.last}: choose a {remedy}"
    )
    raise StudyError(message)
