"""Writing only what is new: rows equal to those held are left out, a changed row is written as a revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest
from parquet_store.reader import quarantined, scan
from parquet_store.schema import TableSchema, conform, table_schema
from parquet_store.store import Store, read_manifest
from parquet_store.writer import commit, moment_of_writing, with_seen_at

__all__ = ["Revision", "changes", "revise"]

_HELD = "__held"
_STATE = "state"


@dataclass(frozen=True)
class Revision:
    """What a write changed.

    Attributes
    ----------
    entries
        The files written; none where nothing was new.
    rows
        Every row that was offered, by table: the key and ``state``, one of ``new``, ``revised`` and ``unchanged``.
    seen_at
        The moment under which the rows were written.
    """

    entries: tuple[FileEntry, ...]
    rows: dict[str, pl.DataFrame]
    seen_at: datetime


def revise(
    store: Store,
    frames: Sequence[tuple[str, pl.DataFrame]],
    *,
    beside: Sequence[tuple[str, pl.DataFrame]] = (),
    seen_at: datetime | None = None,
    run_id: str | None = None,
    raw: Sequence[str] = (),
) -> Revision:
    """Add to several tables, in one step, those rows that the store does not hold as they are.

    A row is compared with the row held under its key at `seen_at`, in every column except ``seen_at`` and
    ``source``. Where the offered row has no value, the held one stays: a shorter answer is not taken for a deletion.
    A row that the quarantine holds as it is does not come back by being offered again; it counts as unchanged.
    Reading and writing happen under one lock, so that two writers of the same rows write them once.

    Parameters
    ----------
    frames
        Pairs of table and rows, as in `append_many`, one pair a table and without ``seen_at``.
    beside
        Such pairs of other tables, whose rows are added as they are, in the same step.
    seen_at, run_id, raw
        As in `append_many`.

    Raises
    ------
    StoreError
        As `append_many`; and if a series would change its basis or unit, or a table has no key.
    """
    offered = [(table_schema(table), frame) for table, frame in frames]
    added = [(table_schema(table), frame) for table, frame in beside if not frame.is_empty()]
    with (
        disk_faults_explained(f"the store at {store.root} could not be written and is unharmed"),
        exclusive(store.lock_path),
    ):
        manifest = read_manifest(store)
        moment = moment_of_writing(manifest, (schema for schema, _ in [*offered, *added]), seen_at)
        compared = [
            (schema, changes(store, manifest, schema, conform(with_seen_at(frame, moment), schema), moment))
            for schema, frame in offered
        ]
        changed = [
            (schema, rows.filter(pl.col(_STATE) != "unchanged").drop(_STATE))
            for schema, rows in compared
            if not (rows[_STATE] == "unchanged").all()
        ]
        changed += [(schema, conform(with_seen_at(frame, moment), schema)) for schema, frame in added]
        entries = commit(store, manifest, changed, run_id=run_id, raw=raw) if changed else ()
    states = {schema.name: rows.select(*schema.key, _STATE) for schema, rows in compared}
    return Revision(entries, states, moment)


def changes(
    store: Store, manifest: Manifest, schema: TableSchema, offered: pl.DataFrame, moment: datetime
) -> pl.DataFrame:
    """Return offered rows, completed from those held at a moment, with their ``state``, as `revise` judges them."""
    if not schema.key or schema.series is None or schema.date is None:
        msg = f"table '{schema.name}' is a ledger; add to it with append"
        raise StoreError(msg)
    held = scan(store, schema.name, as_of=moment, series=offered[schema.series].unique(), manifest=manifest).collect(
        engine="in-memory"
    )
    _refuse_changed_conventions(schema, held, offered)
    key = list(schema.key)
    values = [name for name in schema.columns if name not in {*key, "seen_at", "source"}]
    held_values = held.select(
        *key, *(pl.col(name).alias(_HELD + name) for name in values), pl.lit(value=True).alias(_HELD)
    )
    joined = offered.join(held_values, on=key, how="left", maintain_order="left")
    completed = joined.with_columns(pl.coalesce(name, _HELD + name) for name in values)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(_HELD + name)) for name in values)
    state = pl.when(pl.col(_HELD).is_null()).then(pl.lit("new")).when(same).then(pl.lit("unchanged"))
    judged = completed.with_columns(state.otherwise(pl.lit("revised")).alias(_STATE)).select(*schema.columns, _STATE)
    return _with_quarantined_unchanged(judged, quarantined(store, schema.name, manifest, as_of=moment), [*key, *values])


def _with_quarantined_unchanged(judged: pl.DataFrame, held: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    if held.is_empty():
        return judged
    kept_out = held.select(*columns, pl.lit(value=True).alias(_HELD)).unique()
    joined = judged.join(kept_out, on=columns, how="left", nulls_equal=True, maintain_order="left")
    state = pl.when(pl.col(_HELD)).then(pl.lit("unchanged")).otherwise(_STATE)
    return joined.with_columns(state.alias(_STATE)).drop(_HELD)


def _refuse_changed_conventions(schema: TableSchema, held: pl.DataFrame, offered: pl.DataFrame) -> None:
    """Keep one series from holding values of two bases or units."""
    for convention in schema.conventions:
        words = pl.concat([held, offered]).group_by(schema.series).agg(pl.col(convention).unique().sort())
        mixed = words.filter(pl.col(convention).list.len() > 1).sort(schema.series)
        if mixed.height:
            name, both = mixed.row(0)
            msg = (
                f"the {convention} of {name} would be both {' and '.join(both)}, and one series has one {convention}; "
                "import the new rows under another name (--as)"
            )
            raise StoreError(msg)
