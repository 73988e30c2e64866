"""Writing: new immutable files, then one replacement of the manifest that makes them part of the store."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest, extended
from parquet_store.schema import MOMENT, SCHEMAS, TableSchema, conform, fingerprint, table_schema
from parquet_store.store import Store, read_manifest, replace_manifest

__all__ = ["SIMULATED", "append", "append_many", "commit", "moment_of_writing", "with_seen_at"]

SIMULATED = "simulated"
"""The source of every row of the simulated market; a store holds it alone or not at all."""

_ROW_GROUP = 122_880
_SERIES_LISTED = 256


def append(
    store: Store, table: str, frame: pl.DataFrame, *, seen_at: datetime | None = None, run_id: str | None = None
) -> FileEntry:
    """Add rows to a table; see `append_many`, of which this is the case of one frame."""
    return append_many(store, [(table, frame)], seen_at=seen_at, run_id=run_id)[0]


def append_many(
    store: Store,
    frames: Sequence[tuple[str, pl.DataFrame]],
    *,
    seen_at: datetime | None = None,
    run_id: str | None = None,
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

    Returns
    -------
    tuple of FileEntry
        One entry a frame, in their order.

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
        return commit(store, manifest, rows, run_id=run_id)


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
    store: Store, manifest: Manifest, frames: Sequence[tuple[TableSchema, pl.DataFrame]], *, run_id: str | None = None
) -> tuple[FileEntry, ...]:
    """Write conforming frames as files and list them; the caller holds the lock and read `manifest` under it."""
    if not frames:
        msg = "there is nothing to write"
        raise StoreError(msg)
    _refuse_mixture(store, manifest, frames)
    _clear_staging(store)
    entries = tuple(
        _write(store, schema, frame, f"{manifest.generation + 1:08d}-{position:03d}", run_id)
        for position, (schema, frame) in enumerate(frames)
    )
    replace_manifest(store, extended(manifest, entries))
    return entries


def _refuse_mixture(store: Store, manifest: Manifest, frames: Sequence[tuple[TableSchema, pl.DataFrame]]) -> None:
    """Keep simulated rows and others out of one store, so that no result can mix them unnoticed."""
    simulated = {entry.source == SIMULATED for entry in manifest.files if SCHEMAS[entry.table].series is not None}
    for schema, frame in frames:
        if schema.series is not None:
            simulated.update(source == SIMULATED for source in frame["source"].unique())
    if len(simulated) > 1:
        msg = f"the store at {store.root} would mix simulated and real rows; choose another store with --store"
        raise StoreError(msg)


def _clear_staging(store: Store) -> None:
    """Remove what a writer that died has left; under the lock nobody else is writing there."""
    make_folder(store.staging)
    for path in store.staging.iterdir():
        path.unlink()


def _write(store: Store, schema: TableSchema, frame: pl.DataFrame, number: str, run_id: str | None) -> FileEntry:
    if frame.is_empty():
        msg = f"there are no rows to write to table '{schema.name}'"
        raise StoreError(msg)
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics="full", row_group_size=_ROW_GROUP)
    payload = buffer.getbuffer()
    digest = sha256(payload).hexdigest()
    folder = store.folder(schema.name)
    name = f"{number}-{digest[:12]}.parquet"
    make_folder(folder)
    write_synced(store.staging / name, payload)
    publish(store.staging / name, folder / name)
    dates = (None, None) if schema.date is None else (frame[schema.date].min(), frame[schema.date].max())
    sources = frame["source"].unique().to_list() if "source" in schema.columns else []
    return FileEntry(
        table=schema.name,
        path=(folder / name).relative_to(store.root).as_posix(),
        rows=frame.height,
        bytes=len(payload),
        sha256=digest,
        first=dates[0],  # type: ignore[arg-type]
        last=dates[1],  # type: ignore[arg-type]
        series=_series(schema, frame),
        seen_at=frame["seen_at"].min(),  # type: ignore[arg-type]
        seen_last=frame["seen_at"].max(),  # type: ignore[arg-type]
        source=sources[0] if len(sources) == 1 else None,
        run_id=run_id,
        schema=fingerprint(dict(frame.schema)),
    )


def _series(schema: TableSchema, frame: pl.DataFrame) -> tuple[str, ...] | None:
    if schema.series is None:
        return None
    names = frame[schema.series].unique().sort()
    return tuple(names) if len(names) <= _SERIES_LISTED else None
