"""A damaged file made again from the raw answers that its entry names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import polars as pl

from parquet_store.encoding import parquet_bytes
from parquet_store.errors import EngineError, StoreError
from parquet_store.fetching.admission import Admission, admit
from parquet_store.fetching.held import load_held
from parquet_store.fetching.raw_archive import KeptAnswer, kept_answers, kept_fetches
from parquet_store.files import publish, write_synced
from parquet_store.manifest import FileEntry, Manifest, with_replaced
from parquet_store.revisions import changes
from parquet_store.schema import SCHEMAS, conform
from parquet_store.store import Store, replace_manifest
from parquet_store.universe import load_universe
from parquet_store.writer import with_seen_at

__all__ = ["restore_file"]


def restore_file(store: Store, manifest: Manifest, entry: FileEntry) -> str | None:
    """Make a damaged file again, and return None; or return how else to get its rows. The caller holds the lock.

    The raw answers are judged as they were then, against what the store held then, which gives the rows that were
    written then. Mostly the file comes out byte for byte. Where another version of Polars writes other bytes of as many
    rows of the same days, the manifest gets a new entry for it.
    """
    again = f"its rows came from {entry.source or 'several sources'}; "
    if not entry.raw:
        return again + "take the file out with --drop, and then import them again"
    try:
        rows = _rows_again(store, manifest, entry)
    except EngineError as error:
        return f"{again}the raw answers do not give them ({error}); take the file out with --drop, and then fetch again"
    payload = parquet_bytes(SCHEMAS[entry.table], rows)
    digest = sha256(payload).hexdigest()
    if digest != entry.sha256 and not _equivalent(rows, entry):
        return again + "the raw answers now give other rows; take the file out with --drop, and then fetch again"
    staged = store.staging / Path(entry.path).name
    write_synced(staged, payload)
    publish(staged, store.root / entry.path)
    if digest != entry.sha256:
        restored = replace(entry, bytes=len(payload), sha256=digest)
        replace_manifest(store, with_replaced(manifest, {entry.path: restored}))
    return None


def _rows_again(store: Store, manifest: Manifest, entry: FileEntry) -> pl.DataFrame:
    """Return the rows that a fetch wrote to a file."""
    listed = [each.path for each in manifest.files]
    if entry.path not in listed:
        msg = "another file holds them by now"
        raise StoreError(msg)
    later = listed[listed.index(entry.path) :]
    of_the_fetch = [each.path for each in manifest.files if each.raw == entry.raw]
    before = with_replaced(manifest, dict.fromkeys([*later, *of_the_fetch], None))
    admitted = _admitted(store, before, _answers(store, entry))
    schema = SCHEMAS[entry.table]
    frames = [each for admission in admitted for each in _of_table(admission, entry.table)]
    offered = conform(with_seen_at(pl.concat(frames), entry.seen_at), schema)
    if entry.table == "quarantine":
        return offered
    judged = changes(store, before, schema, offered, entry.seen_at)
    return judged.filter(pl.col("state") != "unchanged").drop("state")


def _answers(store: Store, entry: FileEntry) -> Mapping[str, Sequence[KeptAnswer]]:
    """Return the answers that the entry names, by series in the order of the fetch."""
    archived = {path.stem.rpartition("-")[2]: path for path in kept_fetches(store)}
    missing = [digest for digest in entry.raw if digest not in archived]
    if missing:
        msg = f"the raw answers {missing[0][:12]} are not in the archive"
        raise StoreError(msg)
    by_series: dict[str, list[KeptAnswer]] = {}
    for digest in entry.raw:
        for kept in kept_answers(archived[digest]):
            by_series.setdefault(kept.series, []).append(kept)
    return by_series


def _admitted(store: Store, before: Manifest, answers: Mapping[str, Sequence[KeptAnswer]]) -> list[Admission]:
    universe = load_universe()
    specs = [universe[name] for name in answers]
    held = load_held(store, specs, before)
    begun = min(kept.answer.fetched_at for of_series in answers.values() for kept in of_series)
    admitted = []
    for spec in specs:
        try:
            admitted.append(admit(spec, answers[spec.name], held[spec.name], begun))
        except EngineError:
            continue  # a wrong answer gave no rows then either
    return admitted


def _of_table(admission: Admission, table: str) -> list[pl.DataFrame]:
    if table == "quarantine":
        return [admission.quarantine]
    if table == "actions":
        return [admission.actions]
    name = SCHEMAS[table].key[0]
    return [admission.rows] if admission.rows.columns[0] == name else []


def _equivalent(rows: pl.DataFrame, entry: FileEntry) -> bool:
    schema = SCHEMAS[entry.table]
    if rows.height != entry.rows:
        return False
    if schema.date is None or schema.series is None:
        return True
    ends = (rows[schema.date].min(), rows[schema.date].max())
    return ends == (entry.first, entry.last) and (
        entry.series is None or set(rows[schema.series].unique()) == set(entry.series)
    )
