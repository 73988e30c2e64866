"""Every published figure beside what the data give: as published, and as it could have been traded."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from engine.panel import Sample, how_to_get
from engine.simulated import labelled
from engine.studies import find_study, study_names
from engine.studies.history import History, Market, load_market
from engine.studies.ledger import record
from engine.studies.periods import PERIODS_FILE, load_periods
from engine.studies.published import PUBLISHED_FILE, Kind, Published, PublishedFigure, agrees, load_published
from engine.studies.running import run_on, series_of
from engine.studies.study import Figure, Study
from kernels import rate_of_change
from kernels.threads import thread_limit
from parquet_store import Store
from parquet_store.errors import EngineError

__all__ = ["Replication", "replicate"]


@dataclass(frozen=True)
class Replication:
    """All published figures with what was found.

    Attributes
    ----------
    figures
        One for each published figure, in the order of the published file.
    published
        What was read from that file.
    history
        The documents' common sample, as it was found in the store.
    notes
        Notes of the studies that were run, by study.
    run_id
        Name of the run in the ledger.
    seconds
        From the first reading to the last figure.
    """

    figures: tuple[Figure, ...]
    published: Published
    history: History
    notes: Mapping[str, tuple[str, ...]]
    run_id: str
    seconds: float

    def reproduced(self, figure: Figure) -> bool | None:
        """Tell whether a figure comes out to its printed digits; None of words, which are not digits."""
        return _agreeing(self.published.figures[figure.id], figure)

    def of_kind(self, kind: Kind) -> tuple[Figure, ...]:
        """Select figures of one kind."""
        return tuple(figure for figure in self.figures if self.published.figures[figure.id].kind == kind)


def replicate(
    store: Store,
    *,
    as_of: datetime | None = None,
    published: Path = PUBLISHED_FILE,
    periods: Path = PERIODS_FILE,
) -> Replication:
    """Run every study as published, join what it finds with what was published, and keep the run in the ledger.

    A study whose series the store lacks leaves its figures empty, with the reason.

    Parameters
    ----------
    as_of
        Use only what had been stored by this moment.
    published, periods
        The files with the figures and the episodes.

    Raises
    ------
    StudyError
        A file cannot be read.
    PanelError
        The store holds no session of the documents' sample.
    """
    begun, started = datetime.now(UTC), perf_counter()
    document = load_published(published)
    studies = [find_study(name) for name in study_names()]
    wanted = [series_of(study, study.parameters()) for study in studies]
    everything = [name for needed, optional in wanted for name in (*needed, *optional)]
    with ThreadPoolExecutor(thread_limit()) as pool:
        pool.submit(rate_of_change, np.ones(2), 1)  # compiled code is loaded while the store is read
        market = load_market(store, (), load_periods(periods), optional=everything, as_of=as_of)
        history = market.history(document.sample)
        runs = list(pool.map(lambda study: _run(market, study, study.sample or document.sample), studies))
    found = {figure.id: figure for figures, _ in runs for figure in figures}
    notes = {study.name: said for study, (_, said) in zip(studies, runs, strict=True)}
    figures = tuple(_joined(document, found, studies, simulated=market.panel.simulated))
    seconds = perf_counter() - started
    agreeing = [_agreeing(document.figures[figure.id], figure) for figure in figures]
    run_id = record(store, "replicate", history, figures, agreeing, begun=begun, seconds=seconds)
    return Replication(figures, document, history, notes, run_id, seconds)


def _run(market: Market, study: Study, sample: Sample) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Run one study, or say in the keys it answers why it cannot be run."""
    parameters = study.parameters()
    missing = market.missing(series_of(study, parameters)[0])
    if missing:
        reason = f"{', '.join(missing)} not in the store: {how_to_get(missing)}"
    else:
        try:
            run = run_on(market, study, parameters, sample)
        except EngineError as error:
            reason = str(error)
        else:
            return run.result.figures, run.result.notes
    return tuple(Figure(key, reason=reason) for key in study.answers), (reason,)


def _joined(
    document: Published, found: Mapping[str, Figure], studies: list[Study], *, simulated: bool
) -> Iterator[Figure]:
    """Yield one figure for each published one; one that no study found says so.

    What is remarked of a figure is true of a market's data, and never said of simulated ones.
    """
    for name, published in document.figures.items():
        figure = found.get(name) or Figure(name, reason=_why_not(name, found, studies))
        reason = figure.reason
        if simulated:
            reason = labelled(reason)
        elif published.remark and figure.reproduced is not None:
            reason = f"{reason}; {published.remark}"
        yield replace(figure, published=published.value, reason=reason)


def _agreeing(published: PublishedFigure, figure: Figure) -> bool | None:
    """Tell whether a figure comes out to its printed digits; None of words, which are not digits."""
    return None if published.kind == "words" else agrees(published.printed, figure.reproduced)


def _why_not(name: str, found: Mapping[str, Figure], studies: list[Study]) -> str:
    for study in studies:
        for key in study.answers:
            if name == key or name.startswith(f"{key}."):
                return _reason(found.get(key)) or f"`engine study {study.name}` finds no such row in these data"
    return "no study gives this figure"


def _reason(figure: Figure | None) -> str | None:
    return figure.reason if figure else None
