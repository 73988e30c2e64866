"""One study on one sample: what is set, what it finds, and on which data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from engine.panel import Sample
from engine.parameters import parse_parameters
from engine.simulated import SIMULATED_NOTICE, labelled
from engine.studies.errors import StudyError
from engine.studies.history import History, Market, load_market
from engine.studies.ledger import record
from engine.studies.periods import PERIODS_FILE, load_periods
from engine.studies.published import load_published
from engine.studies.study import Study, StudyParameters, StudyResult
from parquet_store import Store

__all__ = ["StudyRun", "run_on", "run_study", "series_of"]


@dataclass(frozen=True)
class StudyRun:
    """A study that has been run.

    Attributes
    ----------
    study, parameters
        What was asked.
    history
        What it was asked of.
    result
        What was found.
    """

    study: Study
    parameters: StudyParameters
    history: History
    result: StudyResult

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that must stand beside the result."""
        return (*((SIMULATED_NOTICE,) if self.history.panel.simulated else ()), *self.result.notes)


def series_of(study: Study, parameters: StudyParameters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the series that a study needs and those it reads where they are held."""
    return study.series(parameters), study.optional(parameters) if study.optional else ()


def run_study(
    store: Store,
    study: Study,
    values: Mapping[str, Any] | None = None,
    *,
    first: date | None = None,
    last: date | None = None,
    warmup: Literal["inside", "before"] = "inside",
    periods: Path | None = None,
    as_of: datetime | None = None,
) -> StudyRun:
    """Run a study on any sample, any history and any symbols, and keep the run in the ledger.

    Parameters
    ----------
    values
        Parameters by name; what is left out is the document's.
    first, last
        The sample; an end that is left out is that of the document.
    warmup
        Whether indicators see data from before the sample; see `engine.panel.Sample`.
    periods
        File of the episodes; None: those that the project ships.
    as_of
        Use only what had been stored by this moment.

    Raises
    ------
    ParameterError
        A value cannot be used.
    PanelError
        A series is not in the store, or the sample holds no session.
    StudyError
        The file of periods cannot be read, or the data do not allow the study.
    """
    parameters = parse_parameters(study.parameters, values or {}, where=f"study {study.name}")
    needed, optional = series_of(study, parameters)
    market = load_market(store, needed, load_periods(periods or PERIODS_FILE), optional=optional, as_of=as_of)
    sample = _sample(study.sample or load_published().sample, first, last, warmup)
    begun, started = datetime.now(UTC), perf_counter()
    run = run_on(market, study, parameters, sample)
    figures = run.result.figures
    if run.history.panel.simulated:
        figures = tuple(replace(figure, reason=labelled(figure.reason)) for figure in figures)
    record(
        store,
        study.name,
        run.history,
        figures,
        [None] * len(figures),
        begun=begun,
        seconds=perf_counter() - started,
        parameters=parameters.model_dump(mode="json"),
    )
    return replace(run, result=replace(run.result, figures=figures))


def _sample(documented: Sample, first: date | None, last: date | None, warmup: Literal["inside", "before"]) -> Sample:
    """Return the sample that is asked for; an end that is left out is the document's.

    Raises
    ------
    StudyError
        It ends before it begins.
    """
    sample = Sample(first or documented.first, last or documented.last, warmup)
    if sample.first and sample.last and sample.first > sample.last:
        ends = (("first", first, sample.first), ("last", last, sample.last))
        open_end = next((f"; {name} is the document's, set it, too" for name, given, _ in ends if not given), "")
        message = (
            f"the sample's first day {sample.first} is after its last {sample.last}{open_end or ': exchange them'}"
        )
        raise StudyError(message)
    return sample


def run_on(market: Market, study: Study, parameters: StudyParameters, sample: Sample) -> StudyRun:
    """Run a study on what is loaded already."""
    history = market.history(sample)
    return StudyRun(study, parameters, history, study.run(history, parameters))
