"""Writing: new immutable files, then one replacement of the manifest that makes them part of the store."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256

import polars as pl

from parquet_store.encoding import parquet_bytes
from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, make_folder, sync_folder, write_synced
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest, extended
from parquet_store.schema import MOMENT, SCHEMAS, TableSchema, conform, fingerprint, table_schema
from parquet_store.store import Store, read_manifest, replace_manifest

__all__ = [
    "SIMULATED",
    "append",
    "append_many",
    "clear_staging",
    "commit",
    "days_covered",
    "moment_of_writing",
    "publish_staged",
    "refuse_mixture",
    "stage_file",
    "with_seen_at",
]

SIMULATED = "simulated"
"""The source of every row of the simulated market; a store holds it alone or not at all."""

_SERIES_LISTED = 256


def append(
    store: Store,
    table: str,
    frame: pl.DataFrame,
    *,
    seen_at: datetime | None = None,
    run_id: str | None = None,
    raw: Sequence[str] = (),
) -> FileEntry:
    """Add rows to a table; see `append_many`, of which this is the case of one frame."""
    return append_many(store, [(table, frame)], seen_at=seen_at, run_id=run_id, raw=raw)[0]


def append_many(
    store: Store,
    frames: Sequence[tuple[str, pl.DataFrame]],
    *,
    seen_at: datetime | None = None,
    run_id: str | None = None,
    raw: Sequence[str] = (),
) -> tuple[FileEntry, ...]:
    """Add rows to several tables in one step: a reader sees all of them or none.

    Nothing held is changed. A row whose key is already held is a revision: from `seen_at` on, reads return the new row.

    Parameters
    ----------
    frames
        Pairs of table and rows. The rows need every column of the table's schema; ``seen_at`` may be absent.
    seen_at
        When the rows were seen, for frames without that column; None means now, or the latest moment in the
        tables if the clock stands before it.
    run_id
        The run that wrote the rows, kept in the manifest.
    raw
        The sha256 of the raw files that the rows were parsed from, kept in the manifest.

    Returns
    -------
    tuple of FileEntry
        One entry a frame, in their order; one a series in tables whose files hold a single series.

    Raises
    ------
    StoreError
        If a frame is empty or breaks its schema, `seen_at` lies in the future or has no time zone, or the disk
        refuses.
    """
    checked = [(table_schema(table), frame) for table, frame in frames]
    with (
        disk_faults_explained(f"the store at {store.root} could not be written and is unharmed"),
        exclusive(store.lock_path),
    ):
        manifest = read_manifest(store)
        moment = moment_of_writing(manifest, (schema for schema, _ in checked), seen_at)
        rows = [(schema, conform(with_seen_at(frame, moment), schema)) for schema, frame in checked]
        return commit(store, manifest, rows, run_id=run_id, raw=raw)


def moment_of_writing(manifest: Manifest, tables: Iterable[TableSchema], seen_at: datetime | None) -> datetime:
    """Return the moment under which rows are written: `seen_at` if given, else now, never before what is held.

    A clock that was set back would otherwise hide new rows behind older ones of their tables.
    """
    now = datetime.now(UTC)
    if seen_at is None:
        names = {schema.name for schema in tables}
        return max([now, *(entry.seen_last for entry in manifest.files if entry.table in names)])
    if seen_at.tzinfo is None:
        msg = f"seen_at {seen_at} has no time zone; give it one"
        raise StoreError(msg)
    if seen_at > now:
        msg = f"seen_at {seen_at} lies in the future; a row cannot have been seen after now"
        raise StoreError(msg)
    return seen_at.astimezone(UTC)


def with_seen_at(frame: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    """Return `frame` with a ``seen_at`` column, of `moment` where it has none."""
    if "seen_at" in frame.columns:
        return frame
    return frame.with_columns(pl.lit(moment, dtype=MOMENT).alias("seen_at"))


def commit(
    store: Store,
    manifest: Manifest,
    frames: Sequence[tuple[TableSchema, pl.DataFrame]],
    *,
    run_id: str | None = None,
    raw: Sequence[str] = (),
) -> tuple[FileEntry, ...]:
    """Write conforming frames as files and list them; the caller holds the lock and read `manifest` under it."""
    if not frames:
        msg = "there is nothing to write"
        raise StoreError(msg)
    refuse_mixture(
        store, manifest, [set(frame["source"].unique()) for schema, frame in frames if schema.series is not None]
    )
    clear_staging(store)
    entries = tuple(
        stage_file(store, schema, frame, f"{manifest.generation + 1:08d}-{position:03d}", run_id=run_id, raw=raw)
        for position, (schema, frame) in enumerate(_by_file(frames))
    )
    publish_staged(store, entries)
    replace_manifest(store, extended(manifest, entries))
    return entries


def _by_file(frames: Iterable[tuple[TableSchema, pl.DataFrame]]) -> Iterator[tuple[TableSchema, pl.DataFrame]]:
    for schema, frame in frames:
        if schema.one_series_a_file and schema.series is not None:
            yield from ((schema, rows) for rows in frame.partition_by(schema.series, maintain_order=True))
        else:
            yield schema, frame


def refuse_mixture(store: Store, manifest: Manifest, sources: Iterable[Collection[str]]) -> None:
    """Keep simulated rows and others out of one store, so that no result can mix them unnoticed.

    Parameters
    ----------
    sources
        The sources of the rows that are to be written.
    """
    simulated = {entry.source == SIMULATED for entry in manifest.files if SCHEMAS[entry.table].series is not None}
    for names in sources:
        simulated.update(name == SIMULATED for name in names)
    if len(simulated) > 1:
        msg = f"the store at {store.root} would mix simulated and real rows; choose another store with --store"
        raise StoreError(msg)


def clear_staging(store: Store) -> None:
    """Remove what a writer that died has left; under the lock nobody else is writing there."""
    make_folder(store.staging)
    for path in store.staging.iterdir():
        path.unlink()


def stage_file(
    store: Store,
    schema: TableSchema,
    frame: pl.DataFrame,
    number: str,
    *,
    run_id: str | None = None,
    raw: Sequence[str] = (),
) -> FileEntry:
    """Write a conforming frame as a data file in the staging folder, and return the entry it will have.

    The caller holds the lock; it moves the file to its place with `publish_staged` and then lists it.

    Parameters
    ----------
    number
        What the file's name begins with: unique in the change that is being written.
    """
    if frame.is_empty():
        msg = f"there are no rows to write to table '{schema.name}'"
        raise StoreError(msg)
    payload = parquet_bytes(schema, frame)
    digest = sha256(payload).hexdigest()
    folder = store.folder(schema.name)
    if schema.one_series_a_file and schema.series is not None:
        folder = store.series_folder(schema.name, frame[schema.series][0])
    elif schema.one_run_a_folder and run_id is not None:
        folder = store.run_folder(schema.name, run_id)
    path = folder / f"{number}-{digest[:12]}.parquet"
    write_synced(store.staging / path.name, payload)
    dates = days_covered(schema, frame)
    sources = frame["source"].unique().to_list() if "source" in schema.columns else []
    return FileEntry(
        table=schema.name,
        path=path.relative_to(store.root).as_posix(),
        rows=frame.height,
        bytes=len(payload),
        sha256=digest,
        first=dates[0],
        last=dates[1],
        series=_series(schema, frame),
        seen_at=frame["seen_at"].min(),  # type: ignore[arg-type]
        seen_last=frame["seen_at"].max(),  # type: ignore[arg-type]
        source=sources[0] if len(sources) == 1 else None,
        run_id=run_id,
        schema=fingerprint(dict(frame.schema)),
        unique_keys=_unique_keys(schema, frame),
        raw=tuple(raw),
    )


def publish_staged(store: Store, entries: Iterable[FileEntry]) -> None:
    """Move staged files to the places that their entries name, and make the names durable."""
    folders = set()
    for entry in entries:
        path = store.root / entry.path
        make_folder(path.parent)
        os.replace(store.staging / path.name, path)  # noqa: PTH105 - the system call by its name, as in `publish`
        folders.add(path.parent)
    for folder in sorted(folders):
        sync_folder(folder)


def days_covered(schema: TableSchema, frame: pl.DataFrame) -> tuple[date, date] | tuple[None, None]:
    """Return the first and the last day of a frame's rows; a moment falls on its day in UTC."""
    if schema.date is None:
        return None, None
    ends = frame.select(pl.col(schema.date).min().alias("first"), pl.col(schema.date).max().alias("last"))
    first, last = ends.cast(pl.Date).row(0)
    return first, last


def _unique_keys(schema: TableSchema, frame: pl.DataFrame) -> bool:
    """Say whether no two rows share a key; rows are written by key, so that equal ones are neighbours."""
    if not schema.key:
        return True
    repeats = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in schema.key)
    return not frame.select(repeats.slice(1).any()).item()


def _series(schema: TableSchema, frame: pl.DataFrame) -> tuple[str, ...] | None:
    if schema.series is None:
        return None
    names = frame[schema.series].unique().sort()
    return tuple(names) if len(names) <= _SERIES_LISTED else None
