"""What a study is: a question of the documents, asked of any sample, any history and any symbols.

A study is not given what was published. It gives figures with ids; the replication puts the published one beside each.
Where the documents leave a convention open, a parameter has the one by which their figures come out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

import polars as pl
from pydantic import BeforeValidator, Field

from engine.panel import Sample
from engine.parameters import ParameterModel
from engine.studies.coverage import require_changes
from engine.studies.history import History

__all__ = ["Figure", "Study", "StudyParameters", "StudyResult", "Symbols", "Value"]

Value: TypeAlias = bool | int | float | str | date | tuple[float | str, ...]
"""What a figure can be: a number, a yes or no, a day, words, or the two ends of a range."""


@dataclass(frozen=True)
class Figure:
    """One figure of a document, beside what the data give.

    Attributes
    ----------
    id
        Its key in ``configs/published.toml``: ``"vix.returns_by_regime.trending_up.ann_return"``. Fractions, counts and
        index points, as there.
    published
        What the document prints; joined by the replication, None in what a study returns.
    reproduced
        The same figure by the document's own convention; None where the data do not hold it.
    tradable
        The figure by the law: known at close t, traded at close t+1. None for descriptive figures.
    low, high
        Interval of the tradable figure, 95%; None where there are too few observations for one.
    n
        Observations of the tradable figure; of the reproduced one where there is no tradable one.
    episodes
        Runs of neighbouring observations among them: what they are worth as independent cases, at most.
    reason
        What the difference between the columns is made of, or why the figure cannot be reproduced: one sentence.
    """

    id: str
    published: Value | None = None
    reproduced: Value | None = None
    tradable: Value | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    episodes: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Take what is undefined, NaN in arrays, for what is not there."""
        for name in ("reproduced", "tradable"):
            value = getattr(self, name)
            if isinstance(value, float) and math.isnan(value):
                object.__setattr__(self, name, None)


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    tables
        Frames by id; the id of a table is its key in the published file, where it has one. What is undefined is null.
    figures
        In the order of the document.
    notes
        Sentences that must stand beside the tables: where the document looks ahead, what stands in for what.
    """

    tables: Mapping[str, pl.DataFrame]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Freeze the tables, without NaN."""
        tables = {name: frame.fill_nan(None) for name, frame in self.tables.items()}
        object.__setattr__(self, "tables", MappingProxyType(tables))


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


Symbols: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
"""Several series, as a list or as text with commas: ``XLE,XLB,XLU``."""


class StudyParameters(ParameterModel):
    """Base of every study's parameters; fields are declared with `engine.parameters.parameter`.

    Series are text fields (one) or `Symbols` (several), named by their part: ``equity``, ``credit``, ``basket``.
    """


@dataclass(frozen=True)
class Study:
    """One question of the documents.

    Attributes
    ----------
    name
        As in ``engine study NAME``, and the module's name.
    title, source
        What it asks, and the document and section.
    parameters
        Model of everything that may be set; the defaults are the document's.
    series
        Function of the parameters to the series that are read. With `engine.panel.NEXT_MORNING` after a name the panel
        has the value known on the next morning, too.
    compute
        Function of a history and parameters to what is found; called through `run`.
    answers
        Keys of the published tables, or of single figures, that it is responsible for: ``("pair.full_period", …)``.
    sample
        The document's sample, where it is not the one of ``[sample]`` in the published file.
    optional
        Function of the parameters to series that are read where the store holds them; `History.holds` tells.
    """

    name: str
    title: str
    source: str
    parameters: type[Any]
    series: Callable[[Any], tuple[str, ...]]
    compute: Callable[[History, Any], StudyResult]
    answers: tuple[str, ...] = ()
    sample: Sample | None = None
    optional: Callable[[Any], tuple[str, ...]] | None = None

    def run(self, history: History, parameters: Any) -> StudyResult:
        """Ask the question of a history.

        Raises
        ------
        StudyError
            The history hardly holds the series that are needed, or does not allow the study.
        """
        require_changes(history, self.series(parameters))
        return self.compute(history, parameters)
