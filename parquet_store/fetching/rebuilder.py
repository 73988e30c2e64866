"""Reading the archive again with today's parsers: what they would have stored is compared with what is held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.fetching.admission import Admission, admit
from parquet_store.fetching.fetcher import chosen_series, refuse_simulated
from parquet_store.fetching.held import Held, load_held, nothing_held
from parquet_store.fetching.raw_archive import KeptAnswer, archive_folder, kept_answers, kept_fetches, moment_of
from parquet_store.revisions import revise
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store, read_manifest
from parquet_store.universe import SeriesSpec, Universe

__all__ = ["RebuildReport", "rebuild", "replay"]


@dataclass(frozen=True)
class RebuildReport:
    """What a rebuild changed, or would change.

    Attributes
    ----------
    fetches, answers
        How many were read.
    rows
        The rows that differ from those held: ``table``, ``series``, ``date``, ``state`` (``new`` or ``revised``).
    notes
        Answers that cannot be used with today's parsers either.
    """

    fetches: int
    answers: int
    rows: pl.DataFrame
    notes: tuple[str, ...]


def rebuild(
    store: Store, *, series: Sequence[str] | None = None, universe: Universe | None = None, dry_run: bool = False
) -> RebuildReport:
    """Read every kept answer again, in the order in which they came, and write what is read otherwise today.

    What is found is a revision, seen now: reads as of before stay as they were. A row that came from elsewhere after
    the answer, for example by an import, stays.

    Parameters
    ----------
    series
        Only these; None: all.
    dry_run
        Only say what would change.

    Raises
    ------
    EngineError
        If the archive is empty, a series is unknown, or a file of the archive is damaged.
    """
    manifest = read_manifest(store)
    refuse_simulated(store, manifest)
    specs = {spec.name: spec for spec in chosen_series(universe, series)}
    files = kept_fetches(store)
    if not files:
        msg = f"the archive at {archive_folder(store)} is empty; `engine data fetch` fills it"
        raise EngineError(msg)
    fetches = [(moment_of(path), kept_answers(path)) for path in files]
    states, notes = replay(specs, fetches)
    held = load_held(store, [specs[name] for name in states], manifest)
    tables = _differing(specs, states, held)
    frames = [(table, frame) for table, frame in tables if frame.height]
    raw = tuple(path.stem.split("Z-")[-1] for path in files)
    if frames and not dry_run:
        revise(store, frames, raw=raw)
    return RebuildReport(len(files), sum(len(kept) for _, kept in fetches), _listed(tables, held), tuple(notes))


def replay(
    specs: dict[str, SeriesSpec], fetches: Sequence[tuple[datetime, Sequence[KeptAnswer]]]
) -> tuple[dict[str, Held], list[str]]:
    """Return what an empty store would hold of each series after some fetches, and what could not be used.

    Parameters
    ----------
    specs
        The series that count.
    fetches
        The moment of each fetch and its answers, the oldest first.
    """
    states: dict[str, Held] = {}
    notes: list[str] = []
    for moment, kept in fetches:
        of_series = [each for each in kept if each.series in specs and each.purpose != "vintages"]
        for name, answers in groupby(of_series, key=lambda each: each.series):
            state = states.get(name, nothing_held(specs[name]))
            try:
                states[name] = _after(specs[name], state, admit(specs[name], list(answers), state, moment), moment)
            except EngineError as error:
                notes.append(f"{name}, {moment:%Y-%m-%d %H:%M}: {error}")
    return states, notes


def _after(spec: SeriesSpec, state: Held, admission: Admission, moment: datetime) -> Held:
    """Return the state after an admission, as the store would hold it."""

    def with_latest(table: str, rows: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
        schema = SCHEMAS[table]
        seen = came.with_columns(pl.lit(moment, dtype=schema.columns["seen_at"]).alias("seen_at"))
        both = pl.concat([rows, seen.select(rows.columns)])
        return both.unique(subset=list(schema.key), keep="last", maintain_order=True).sort(schema.key)

    return replace(
        state,
        rows=with_latest(spec.table, state.rows, admission.rows),
        actions=with_latest("actions", state.actions, admission.actions),
        quarantined=with_latest("quarantine", state.quarantined, admission.quarantine),
    )


def _differing(
    specs: dict[str, SeriesSpec], states: dict[str, Held], held: dict[str, Held]
) -> list[tuple[str, pl.DataFrame]]:
    """Return the rows of the replay that differ from those held, by table, without ``seen_at``."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for name, state in states.items():
        table = specs[name].table
        tables.setdefault(table, []).append(_unlike(table, state.rows, held[name].rows))
        tables.setdefault("actions", []).append(_unlike("actions", state.actions, held[name].actions))
    return [(table, pl.concat(frames)) for table, frames in sorted(tables.items())]


def _unlike(table: str, replayed: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return the replayed rows that are not held as they are, but for those that another source has overtaken."""
    schema = SCHEMAS[table]
    values = [name for name in schema.columns if name not in {*schema.key, "seen_at", "source"}]
    ours = held.select(*schema.key, *(pl.col(name).name.prefix("held_") for name in (*values, "seen_at", "source")))
    both = replayed.join(ours, on=list(schema.key), how="left", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"held_{name}")) for name in values)
    overtaken = (pl.col("held_source") != pl.col("source")) & (pl.col("held_seen_at") > pl.col("seen_at"))
    wanted = both.filter(~same & ~overtaken.fill_null(value=False))
    return wanted.select(name for name in schema.columns if name != "seen_at")


def _listed(tables: Sequence[tuple[str, pl.DataFrame]], held: dict[str, Held]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"table": pl.String(), "series": pl.String(), "date": pl.Date(), "state": pl.String()})
    listed = [empty]
    for table, frame in tables:
        key = list(SCHEMAS[table].key)
        known = pl.concat(
            [
                (each.actions if table == "actions" else each.rows)
                for each in held.values()
                if table in ("actions", _table_of(each))
            ]
        )
        keys = known.select(*key, pl.lit("revised").alias("state"))
        joined = frame.join(keys, on=key, how="left").with_columns(pl.col("state").fill_null("new"))
        named = joined.with_columns(pl.lit(table).alias("table"), pl.col(key[0]).alias("series"))
        listed.append(named.select(empty.columns))
    return pl.concat(listed).sort("table", "series", "date")


def _table_of(held: Held) -> str:
    return "prices" if "symbol" in held.rows.columns else "macro"
