"""What a provider showed in the past: its vintages, put in front of what the store has seen by itself.

A vintage becomes a row whose ``seen_at`` is the end of the day on which the provider first showed the value, so that a
read as of that time gives what was known. Only vintages from before the store first saw the series are written: what it
has seen by itself, and every read as of then, stays as it is.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import polars as pl

from parquet_store.calendar import NEW_YORK, known_at
from parquet_store.errors import EngineError
from parquet_store.fetching.asking import Pace, Provider
from parquet_store.fetching.checks import believable
from parquet_store.fetching.confirmation import rejected_as_quarantine
from parquet_store.fetching.fetcher import chosen_series, refuse_simulated
from parquet_store.fetching.raw_archive import KeptAnswer, archive_lock, keep
from parquet_store.history import versions
from parquet_store.quarantine import not_yet_held
from parquet_store.schema import MOMENT, SCHEMAS
from parquet_store.sources import FILES, Span, find_source
from parquet_store.store import Store, read_manifest
from parquet_store.universe import SeriesSpec, Universe
from parquet_store.writer import append_many, moment_of_writing

__all__ = ["fetch_vintages"]

_AT_ONCE = 4


@dataclass(frozen=True)
class _Shown:
    """What a provider showed of a series: rows of the table macro, and rows that cannot be true, with the reason."""

    rows: pl.DataFrame
    rejected: pl.DataFrame


def fetch_vintages(
    store: Store,
    *,
    series: Sequence[str] | None = None,
    universe: Universe | None = None,
    pace: Pace | None = None,
) -> pl.DataFrame:
    """Ask for the vintages of macro series and write those from before the store first saw each series.

    Parameters
    ----------
    series
        Only these; None: all whose source can tell.
    pace
        Timeouts, attempts and clocks.

    Returns
    -------
    polars.DataFrame
        One row a series: ``series``, ``state`` (``ok`` or ``failed``), ``values`` (rows written), ``revisions`` (how
        many of them replace an earlier value), ``first_vintage`` and ``message``.

    Raises
    ------
    EngineError
        If a series is unknown or its source has no vintages, or the store holds the simulated market.
    """
    manifest = read_manifest(store)
    refuse_simulated(store, manifest)
    specs = _with_vintages(universe, series)
    now = datetime.now(UTC)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vintages") as pool:
        providers = {name: _provider(name, pace or Pace()) for name in {spec.source for spec in specs}}
        fetched = list(pool.map(lambda spec: _ask(spec, providers[spec.source], now), specs))
    outcomes = []
    with archive_lock(store):
        seen_at = moment_of_writing(read_manifest(store), [SCHEMAS["macro"]], None)
        kept = [answer for answers, _ in fetched for answer in answers]
        raw = (keep(store, kept, seen_at),) if kept else ()
        for spec, (_, shown) in zip(specs, fetched, strict=True):
            outcomes.append(_write(store, spec, shown, raw))
    schema = {"series": pl.String(), "state": pl.String(), "values": pl.Int64(), "revisions": pl.Int64()}
    last = {"first_vintage": pl.Date(), "message": pl.String()}
    return pl.DataFrame(outcomes, schema={**schema, **last}, orient="row")


def _with_vintages(universe: Universe | None, names: Sequence[str] | None) -> list[SeriesSpec]:
    chosen = [spec for spec in chosen_series(universe, names) if spec.source != FILES]
    able = [spec for spec in chosen if find_source(spec.source).vintages is not None]
    unable = [spec.name for spec in chosen if spec not in able]
    if names is not None and unable:
        msg = f"the source of {', '.join(unable)} does not tell what it showed in the past; leave them out"
        raise EngineError(msg)
    return able


def _provider(name: str, pace: Pace) -> Provider:
    source = find_source(name)
    return Provider(source.title, source.connect, source.limits, pace, Event())


def _ask(spec: SeriesSpec, provider: Provider, now: datetime) -> tuple[tuple[KeptAnswer, ...], _Shown | EngineError]:
    """Return the answers for one series, and its vintages or what is wrong with them."""
    source = find_source(spec.source)
    assert source.vintages is not None  # noqa: S101 - only such sources are asked
    assert source.parse_vintages is not None  # noqa: S101
    kept: tuple[KeptAnswer, ...] = ()
    try:
        answers = source.vintages(spec, provider.ask, now.date())
        kept = tuple(KeptAnswer(spec.source, spec.name, "vintages", Span(None, now.date()), each) for each in answers)
        return kept, _as_rows(spec, source.parse_vintages(spec, [each.body for each in answers]), now)
    except EngineError as error:
        return kept, error
    except Exception as error:  # noqa: BLE001 - as in a fetch: a strange answer is its own series' failure
        return kept, EngineError(f"the answer could not be read ({type(error).__name__})")


def _as_rows(spec: SeriesSpec, shown: pl.DataFrame, now: datetime) -> _Shown:
    """Return vintages as rows of the table macro, each seen at the end of the day on which it came out."""
    believed, rejected = believable(spec, shown, now.date())
    dawn = believed["vintage"].dt.offset_by("1d").cast(pl.Datetime("us")).dt.replace_time_zone(NEW_YORK)
    rows = believed.with_columns(
        pl.lit(spec.name).alias("series"),
        pl.lit(spec.unit).alias("unit"),
        known_at(spec, believed["date"]),
        dawn.dt.convert_time_zone("UTC").cast(MOMENT).alias("seen_at"),
        pl.lit(spec.source).alias("source"),
    )
    return _Shown(rows.filter(pl.col("seen_at") <= now).select(*SCHEMAS["macro"].columns), rejected)


def _write(store: Store, spec: SeriesSpec, shown: _Shown | EngineError, raw: tuple[str, ...]) -> tuple[object, ...]:
    """Write the vintages from before the store first saw a series, and return the line of the report."""
    if isinstance(shown, EngineError):
        return spec.name, "failed", 0, 0, None, str(shown)
    first_seen = versions(store, "macro", spec.name)["seen_at"].min()
    earlier = shown.rows if first_seen is None else shown.rows.filter(pl.col("seen_at") < first_seen)
    held = not_yet_held(
        store, read_manifest(store), rejected_as_quarantine("macro", spec.name, spec.source, raw[0], shown.rejected)
    )
    frames = [(table, rows) for table, rows in (("quarantine", held), ("macro", earlier)) if rows.height]
    if frames:
        append_many(store, frames, raw=raw)
    said = [f"the store has seen the series since {first_seen!s}"] if earlier.is_empty() else []
    said += [f"{held.height} vintages went to the quarantine"] if held.height else []
    revisions = earlier.height - earlier["date"].n_unique()
    return spec.name, "ok", earlier.height, revisions, earlier["seen_at"].dt.date().min(), "; ".join(said)
