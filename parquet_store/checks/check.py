"""The check of a whole store: its files, the order of their rows, the rows themselves, and each series."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from parquet_store.checks.archive import check_archive
from parquet_store.checks.bars import faulty_bars
from parquet_store.checks.files import check_file
from parquet_store.checks.findings import Finding, findings_frame
from parquet_store.checks.rows import faulty_rows
from parquet_store.checks.series import check_series
from parquet_store.compaction import unlisted_files
from parquet_store.manifest import FileEntry, Manifest, seen_by, with_replaced
from parquet_store.quarantine import REASON, not_confirmed
from parquet_store.reader import scan
from parquet_store.schema import SCHEMAS
from parquet_store.store import Store, read_manifest
from parquet_store.universe import Universe, load_universe

__all__ = ["CheckReport", "check_store"]


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes
    ----------
    findings
        ``severity`` (``damage``, ``fault`` or ``notice``), ``table``, ``series``, ``date``, ``file``, ``what`` and
        ``remedy``, the gravest first.
    damaged
        The entries whose files are not what was written.
    faulty
        The rows that belong in quarantine, by table, with ``reason``.
    damaged_answers
        Files of the raw archive that are not what came.
    orphans
        Data files that the manifest does not list.
    files, bytes, rows
        What was checked.
    manifest_id
        The state of the store that was checked.
    """

    findings: pl.DataFrame
    damaged: tuple[FileEntry, ...]
    faulty: Mapping[str, pl.DataFrame]
    damaged_answers: tuple[Path, ...]
    orphans: tuple[Path, ...]
    files: int
    bytes: int
    rows: int
    manifest_id: str

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged and no row is faulty; notices do not count."""
        return self.findings.filter(pl.col("severity") != "notice").is_empty()


def check_store(
    store: Store,
    *,
    as_of: datetime | None = None,
    today: date | None = None,
    universe: Universe | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Check everything a store holds; nothing is changed.

    Every byte of every file, raw answers included, is compared with its sha256. What is left of sound files is then
    checked row by row. Rows that the quarantine holds are not looked at again.

    Parameters
    ----------
    as_of
        Only the files that hold something seen by this moment, and the rows as they were read then; None: all.
    today
        The day against which staleness is measured; None: that of `as_of`, else today (UTC).
    universe
        The calendars and bounds; None: those the project ships.
    progress
        Called with the bytes read so far and all bytes.

    Raises
    ------
    StoreError
        If the manifest itself cannot be read.
    """
    listed = read_manifest(store)
    manifest = listed if as_of is None else seen_by(listed, as_of)
    known = load_universe() if universe is None else universe
    day = today or (as_of or datetime.now(UTC)).astimezone(UTC).date()
    damaged, findings = _check_files(store, manifest, progress)
    unlisted = unlisted_files(store, listed) if as_of is None else []
    findings += [_orphan(store, path) for path in unlisted]
    damaged_answers, of_archive = check_archive(store, manifest, as_of)
    findings += of_archive
    sound = with_replaced(manifest, dict.fromkeys((entry.path for entry in damaged), None))
    faulty = {"bars": faulty_bars(store, sound, as_of=as_of)}
    for table in ("prices", "macro", "actions"):
        rows = scan(store, table, manifest=sound, as_of=as_of).collect(engine="in-memory")
        findings += check_series(table, rows, known, day)
        if table != "actions":
            faulty[table] = faulty_rows(table, rows, known, day)
    faulty = {table: not_confirmed(store, sound, table, rows, as_of=as_of) for table, rows in faulty.items()}
    findings += [finding for table, rows in faulty.items() for finding in _faults(table, rows)]
    return CheckReport(
        findings=findings_frame(findings),
        damaged=tuple(damaged),
        faulty={table: rows for table, rows in faulty.items() if not rows.is_empty()},
        damaged_answers=tuple(damaged_answers),
        orphans=tuple(unlisted),
        files=len(manifest.files),
        bytes=sum(entry.bytes for entry in manifest.files),
        rows=sum(entry.rows for entry in manifest.files),
        manifest_id=manifest.id,
    )


def _check_files(
    store: Store, manifest: Manifest, progress: Callable[[int, int], None] | None
) -> tuple[list[FileEntry], list[Finding]]:
    """Return the entries of damaged files, and what is wrong with them."""
    damaged: list[FileEntry] = []
    findings: list[Finding] = []
    done, total = 0, sum(entry.bytes for entry in manifest.files)
    for entry in manifest.files:
        wrong = check_file(store, entry)
        if wrong is not None:
            damaged.append(entry)
            findings.append(wrong)
        done += entry.bytes
        if progress is not None:
            progress(done, total)
    return damaged, findings


def _orphan(store: Store, path: Path) -> Finding:
    return Finding(
        "notice",
        path.relative_to(store.root / "data").parts[0],
        "the manifest does not list the file: a writer was killed, or a compaction has replaced it",
        "nothing reads it; `engine data compact --remove` removes it",
        file=path.relative_to(store.root).as_posix(),
    )


def _faults(table: str, rows: pl.DataFrame) -> Iterator[Finding]:
    schema = SCHEMAS[table]
    columns = [schema.series or "", schema.date or "", REASON]
    for series, day, reason in rows.with_columns(pl.col(columns[1]).cast(pl.Date)).select(columns).iter_rows():
        remedy = "`engine data check --repair` puts the row into quarantine; `engine data release` takes it out again"
        yield Finding("fault", table, reason, remedy, series=series, date=day)
