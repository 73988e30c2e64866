"""A study run as a user runs it, and the samples of tests."""

from datetime import date
from typing import Any, Literal

from engine.panel import Sample
from engine.studies import Figure, History, StudyResult, find_study


def result_of(name: str, history: History, **settings: Any) -> StudyResult:
    """Run a study with its defaults, but for some parameters."""
    study = find_study(name)
    return study.run(history, study.parameters(**settings))


def figures(result: StudyResult) -> dict[str, Figure]:
    """Figures by id."""
    return {figure.id: figure for figure in result.figures}


def sample_of(first: date, last: date, warmup: Literal["inside", "before"] = "inside") -> Sample:
    return Sample(first, last, warmup)
