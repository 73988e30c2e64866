"""Fetching: ask all providers at once, judge every answer, keep the bytes, then write what is new in one change."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from parquet_store.errors import EngineError, StoreError
from parquet_store.fetching.admission import Admission, admit
from parquet_store.fetching.asking import Pace, Provider
from parquet_store.fetching.held import Held, held_of_none, load_held
from parquet_store.fetching.plan import SeriesPlan, plan_fetch
from parquet_store.fetching.raw_archive import KeptAnswer, archive_lock, keep
from parquet_store.fetching.report import FetchReport, Outcome, outcome_table
from parquet_store.manifest import Manifest
from parquet_store.revisions import Revision, revise
from parquet_store.schema import SCHEMAS
from parquet_store.sources import FILES, find_source
from parquet_store.store import Store, read_manifest
from parquet_store.universe import SeriesSpec, Universe, load_universe
from parquet_store.writer import SIMULATED, append, moment_of_writing

__all__ = ["asked_series", "chosen_series", "fetch", "plan", "refuse_simulated"]

Progress = Callable[[str, str], None]
"""Called with a series and what happens to it: asking, judging, ok, failed."""


@dataclass(frozen=True)
class _Fetched:
    """What came for one series, and what may be stored of it; `wrong` says why nothing may."""

    plan: SeriesPlan
    answers: tuple[KeptAnswer, ...]
    admission: Admission | None
    wrong: str = ""


def plan(
    store: Store | None,
    *,
    series: Sequence[str] | None = None,
    since: date | None = None,
    refresh: bool = False,
    universe: Universe | None = None,
    now: datetime | None = None,
) -> list[SeriesPlan]:
    """Return what `fetch` with the same arguments would ask for, without asking; `store` None is one yet to be made."""
    if store is not None:
        refuse_simulated(store, read_manifest(store))
    specs = chosen_series(universe, series)
    held = held_of_none(specs) if store is None else load_held(store, specs, read_manifest(store))
    return plan_fetch(specs, held, (now or datetime.now(UTC)).date(), since=since, refresh=refresh)


def fetch(
    store: Store,
    *,
    series: Sequence[str] | None = None,
    since: date | None = None,
    refresh: bool = False,
    universe: Universe | None = None,
    now: datetime | None = None,
    pace: Pace | None = None,
    progress: Progress | None = None,
) -> FetchReport:
    """Ask the providers for all series and write what is new.

    All that came in is written in one change; a series whose answer is wrong stays as it was, and the others come in.
    The bytes of every answer are kept in the archive first, wrong ones too.

    Parameters
    ----------
    series
        Only these; None: all of the universe that have a source.
    since, refresh
        As in `plan_fetch`.
    universe
        The series and their conventions; None: those the project ships.
    now
        The moment of the fetch, by which bars are finished and rows stale; None: the present.
    pace
        Timeouts, attempts and clocks.
    progress
        Called from several threads.

    Raises
    ------
    EngineError
        If a series is unknown or has no source, the store holds the simulated market, or the disk refuses.
    """
    manifest = read_manifest(store)
    refuse_simulated(store, manifest)
    known = universe or load_universe()
    specs = chosen_series(known, series)
    moment = now or datetime.now(UTC)
    held = load_held(store, specs, manifest)
    plans = plan_fetch(specs, held, moment.date(), since=since, refresh=refresh)
    fetched = _ask_all(plans, held, moment, pace or Pace(), progress or _silent)
    answers = [kept for each in fetched for kept in each.answers]
    revision, raw, seen_at = _store_all(store, fetched, answers, now)
    outcomes = [_outcome(each, held[each.plan.spec.name], revision, moment.date()) for each in fetched]
    notes = [f"{each.series}: {note}" for each in outcomes for note in each.notes] + _late_starts(fetched)
    absent = tuple(spec.name for spec in specs if spec.source == FILES)
    return FetchReport(outcome_table(outcomes), tuple(notes), absent, seen_at, raw, read_manifest(store).id)


def chosen_series(universe: Universe | None, names: Sequence[str] | None) -> list[SeriesSpec]:
    """Return the series of these names, all for None.

    Raises
    ------
    EngineError
        If a name is unknown, or one that was named has no source.
    """
    known = universe or load_universe()
    if names is None:
        return list(known.series)
    chosen = [known[name] for name in dict.fromkeys(names)]
    for spec in chosen:
        if spec.source == FILES:
            msg = f"{spec.name} has no source to fetch from; bring it in with `engine data import FILE`"
            raise EngineError(msg)
    return chosen


def asked_series(names: Sequence[str] | None, universe: Universe | None = None) -> tuple[str, ...]:
    """Return the names of those of the chosen series that have a source to be asked; raises as `chosen_series`."""
    return tuple(spec.name for spec in chosen_series(universe, names) if spec.source != FILES)


def refuse_simulated(store: Store, manifest: Manifest) -> None:
    """Refuse to fetch into a store of the simulated market, before anything is asked."""
    if any(entry.source == SIMULATED for entry in manifest.files):
        msg = f"the store at {store.root} holds the simulated market; fetch into another one with --store"
        raise StoreError(msg)


def _silent(series: str, what: str) -> None:
    """Report nothing."""


def _ask_all(
    plans: Sequence[SeriesPlan], held: Mapping[str, Held], now: datetime, pace: Pace, progress: Progress
) -> list[_Fetched]:
    """Ask for all series at once, each provider at its own pace; an interruption leaves nothing behind."""
    stopped = threading.Event()
    providers: dict[str, Provider] = {}
    for name in {each.spec.source for each in plans}:
        source = find_source(name)
        providers[name] = Provider(source.title, source.connect, source.limits, pace, stopped)

    def work(each: SeriesPlan) -> _Fetched:
        done = _fetch_one(each, held[each.spec.name], providers[each.spec.source], now, progress)
        progress(each.spec.name, "failed" if done.admission is None else "ok")
        return done

    # A thread a series: one provider's queue must not keep another provider waiting.
    with ThreadPoolExecutor(max(1, len(plans)), thread_name_prefix="fetch") as pool:
        futures: list[Future[_Fetched]] = [pool.submit(work, each) for each in plans]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch_one(each: SeriesPlan, held: Held, provider: Provider, now: datetime, progress: Progress) -> _Fetched:
    """Ask for one series and judge its answers; whatever goes wrong is this series' own failure."""
    spec, answers = each.spec, []
    source = find_source(spec.source)
    try:
        progress(spec.name, "asking")
        for purpose, span in each.questions:
            came = source.fetch(spec, span, provider.ask)
            answers += [KeptAnswer(spec.source, spec.name, purpose, span, answer) for answer in came]
        progress(spec.name, "judging")
        return _Fetched(each, tuple(answers), admit(spec, answers, held, now))
    except EngineError as error:
        return _Fetched(each, tuple(answers), None, str(error))
    except Exception as error:  # noqa: BLE001 - no answer, however strange, may keep the other series from coming in
        return _Fetched(each, tuple(answers), None, f"the answer could not be read ({type(error).__name__})")


def _store_all(
    store: Store, fetched: Iterable[_Fetched], answers: Sequence[KeptAnswer], now: datetime | None
) -> tuple[Revision | None, str | None, datetime]:
    """Keep the bytes, then the quarantine, then the rows in one change."""
    admitted = [each.admission for each in fetched if each.admission is not None]
    quarantine = [each.quarantine for each in admitted if each.quarantine.height]
    frames = _frames(fetched)
    with archive_lock(store):
        manifest = read_manifest(store)
        tables = [SCHEMAS[name] for name in ("prices", "macro", "actions", "quarantine")]
        seen_at = moment_of_writing(manifest, tables, now)
        # A clock that was set back stands before what is held; the writer then takes the same moment by itself.
        given = seen_at if seen_at <= datetime.now(UTC) else None
        if not answers:
            return None, None, seen_at
        raw = keep(store, answers, seen_at)
        if quarantine:
            append(store, "quarantine", pl.concat(quarantine), seen_at=given, raw=(raw,))
        return (revise(store, frames, seen_at=given, raw=(raw,)) if frames else None), raw, seen_at


def _frames(fetched: Iterable[_Fetched]) -> list[tuple[str, pl.DataFrame]]:
    """Return the admitted rows of all series by table."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for each in fetched:
        if each.admission is not None:
            tables.setdefault(each.plan.spec.table, []).append(each.admission.rows)
            tables.setdefault("actions", []).append(each.admission.actions)
    joined = [(table, pl.concat(frames)) for table, frames in sorted(tables.items())]
    return [(table, frame) for table, frame in joined if frame.height]


def _outcome(each: _Fetched, held: Held, revision: Revision | None, today: date) -> Outcome:
    spec = each.plan.spec
    days = [day for day in (held.first, held.last) if day is not None]
    if each.admission is not None:
        came = each.admission.rows["date"]
        days += [day for day in (came.min(), came.max()) if isinstance(day, date)]
    first, last = min(days, default=None), max(days, default=None)
    late = last is not None and (today - last).days > spec.stale_after_days
    if each.admission is None:
        return Outcome(spec.name, spec.source, "failed", first, last, message=each.wrong)
    counts = {**_counts(spec, revision), "waiting": each.admission.waiting}
    message = f"newest value of {last}, more than {spec.stale_after_days} days old" if late else ""
    return Outcome(
        spec.name, spec.source, "stale" if late else "ok", first, last, counts, message, each.admission.notes
    )


def _late_starts(fetched: Iterable[_Fetched]) -> list[str]:
    """Say in one sentence which histories begin later than they are known to."""
    late = [
        f"{each.plan.spec.name} {each.admission.begins_late} instead of {each.plan.spec.starts}"
        for each in fetched
        if each.admission is not None and each.admission.begins_late is not None
    ]
    if not late:
        return []
    return [f"histories that lack their beginning: {', '.join(late)}; their sources served no more"]


def _counts(spec: SeriesSpec, revision: Revision | None) -> dict[str, int]:
    if revision is None:
        return {}
    counted: dict[str, int] = {}
    for table, column in ((spec.table, SCHEMAS[spec.table].key[0]), ("actions", "symbol")):
        states = revision.rows.get(table)
        if states is not None:
            for state, count in states.filter(pl.col(column) == spec.name)["state"].value_counts().rows():
                counted[state] = counted.get(state, 0) + count
    return counted
