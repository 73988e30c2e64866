"""The studies: the documents' tables, as published and as they could have been traded; one file a study.

A module of this folder that defines ``STUDY`` is a study; nothing else has to be told of it.
"""

from functools import cache

from engine.discovery import defined_in, modules_defining
from engine.studies.errors import StudyError
from engine.studies.history import History, Market, load_market
from engine.studies.periods import Period, load_periods
from engine.studies.study import Figure, Study, StudyParameters, StudyResult, Symbols, Value

__all__ = [
    "Figure",
    "History",
    "Market",
    "Period",
    "Study",
    "StudyError",
    "StudyParameters",
    "StudyResult",
    "Symbols",
    "Value",
    "find_study",
    "load_market",
    "load_periods",
    "study_names",
]


@cache
def study_names() -> tuple[str, ...]:
    """Return the names of all studies, sorted."""
    return modules_defining(__name__, "STUDY")


@cache
def find_study(name: str) -> Study:
    """Return the study called ``name``.

    Raises
    ------
    StudyError
        There is none; the message lists those there are.
    """
    if name not in study_names():
        message = f"unknown study {name!r}: use one of {', '.join(study_names())}"
        raise StudyError(message)
    study: Study = defined_in(__name__, name, "STUDY")
    return study
