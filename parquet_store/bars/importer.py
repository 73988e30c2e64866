"""Importing bars: read a slab, check it, gather it by symbol and year, write what is new, list it all at once."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from parquet_store.bars.comparison import Compared, compare
from parquet_store.bars.pieces import Piece, PieceBuffer
from parquet_store.bars.rules import bar_fault
from parquet_store.bars.source import bar_files, check_header, slabs
from parquet_store.errors import EngineError
from parquet_store.files import disk_faults_explained
from parquet_store.lock import exclusive
from parquet_store.manifest import FileEntry, Manifest, extended
from parquet_store.quarantine import REASON, not_yet_held, quarantine_rows
from parquet_store.reader import data_paths
from parquet_store.schema import MOMENT, SCHEMAS, conform
from parquet_store.store import Store, read_manifest, replace_manifest
from parquet_store.writer import (
    clear_staging,
    moment_of_writing,
    publish_staged,
    refuse_mixture,
    stage_file,
    with_seen_at,
)

__all__ = ["BarReport", "import_bars"]

_BARS = SCHEMAS["bars"]
_BUFFERED = 6_000_000
_WRITERS = 2
_AHEAD = 4
_TOO_MANY_BAD = 0.1


@dataclass(frozen=True)
class BarReport:
    """What an import of bars did.

    Attributes
    ----------
    rows
        Bars read.
    new, revised, unchanged
        Bars written because they were not held, or were held with other values; and bars held as they are, which the
        same files may repeat.
    held
        Bars that were found bad and went to the quarantine.
    symbols
        How many symbols the bars are of.
    seen_at
        The moment under which they were written.
    manifest_id
        The store's manifest after the import.
    """

    rows: int
    new: int
    revised: int
    unchanged: int
    held: int
    symbols: int
    seen_at: datetime
    manifest_id: str


def import_bars(
    store: Store,
    paths: Iterable[str | Path],
    *,
    source: str | None = None,
    time_zone: str | None = None,
    seen_at: datetime | None = None,
) -> BarReport:
    """Import Parquet files of intraday bars in one change of the store: a reader sees all of it or nothing.

    The files are read as a stream and never held in memory as a whole. Bars end in files of one symbol and year; files
    sorted by symbol or by moment are the fastest. A bar that is held already is not written again, one with other
    values is written as a revision, a bad one goes to the quarantine with the reason. Bars are compared only with
    files whose symbol and days they share.

    Parameters
    ----------
    paths
        Parquet files with the columns ``symbol``, ``moment``, ``open``, ``high``, ``low``, ``close`` and, if known,
        ``volume``; and folders of them. A bar's moment is its end, from which it was known.
    source
        Where the bars come from; the name of the first file if not given.
    time_zone
        The zone of moments that bear none.
    seen_at
        When the bars were seen; None: now.

    Raises
    ------
    EngineError
        If a file cannot be read or has other columns, more than a tenth of the bars are bad, or the disk refuses;
        nothing is imported then.
    """
    files = bar_files(paths)
    for file in files:
        check_header(file, time_zone)
    with (
        disk_faults_explained(f"the store at {store.root} could not be written and is unharmed"),
        exclusive(store.lock_path),
    ):
        manifest = read_manifest(store)
        moment = moment_of_writing(manifest, [_BARS, SCHEMAS["quarantine"]], seen_at)
        origin = source or files[0].name
        refuse_mixture(store, manifest, [{origin}])
        clear_staging(store)
        try:
            return _import(store, manifest, files, time_zone, moment, origin)
        except BaseException:
            clear_staging(store)
            raise


def _import(
    store: Store, manifest: Manifest, files: list[Path], time_zone: str | None, moment: datetime, source: str
) -> BarReport:
    bad: list[pl.DataFrame] = []
    counts: Counter[str] = Counter()
    symbols: set[str] = set()
    entries: list[FileEntry] = []
    for compared, entry in _written(store, manifest, _pieces(files, time_zone, bad, counts), moment, source):
        counts.update(compared.counts)
        bad.append(compared.conflicting)
        symbols.add(compared.symbol)
        if entry is not None:
            entries.append(entry)
    held = pl.concat(bad, how="diagonal").with_columns(pl.lit(source).alias("source"))
    _refuse_a_bad_file(held, counts["rows"], files)
    quarantine = not_yet_held(store, manifest, quarantine_rows(_BARS, held))
    if not quarantine.is_empty():
        schema = SCHEMAS["quarantine"]
        rows = conform(with_seen_at(quarantine.unique(schema.key, keep="first", maintain_order=True), moment), schema)
        entries.append(stage_file(store, schema, rows, _number(manifest, len(entries), "q")))
    if entries:
        publish_staged(store, entries)
        manifest = extended(manifest, entries)
        replace_manifest(store, manifest)
    return BarReport(
        rows=counts["rows"],
        new=counts["new"],
        revised=counts["revised"],
        unchanged=counts["unchanged"],
        held=held.height,
        symbols=len(symbols),
        seen_at=moment,
        manifest_id=manifest.id,
    )


def _pieces(
    files: Iterable[Path], time_zone: str | None, bad: list[pl.DataFrame], counts: Counter[str]
) -> Iterator[Piece]:
    """Yield the good bars of all files as pieces, and put the bad ones into `bad`."""
    buffer = PieceBuffer(_BUFFERED)
    fault = bar_fault().alias(REASON)
    for file in files:
        for slab in slabs(file, time_zone):
            counts["rows"] += slab.height
            faults = slab.select(fault).to_series()
            good = slab
            if faults.null_count() < slab.height:
                bad.append(slab.with_columns(faults).filter(faults.is_not_null()))
                good = slab.filter(faults.is_null())
            yield from buffer.add(good)
    yield from buffer.rest()


@dataclass(frozen=True)
class _Task:
    piece: Piece
    outcome: Future[tuple[Compared, FileEntry | None]]


def _written(
    store: Store, manifest: Manifest, pieces: Iterable[Piece], moment: datetime, source: str
) -> Iterator[tuple[Compared, FileEntry | None]]:
    """Yield what became of each piece, in their order; some are compared and staged while the next ones are read."""
    held = _by_symbol(manifest.entries("bars"))
    earlier: dict[str, list[_Task]] = {}
    waiting: deque[_Task] = deque()
    with ThreadPoolExecutor(_WRITERS) as writers:
        for position, piece in enumerate(pieces):
            of_store = [entry for entry in held.get(piece.symbol, ()) if _meet(entry, piece)]
            of_import = [task.outcome for task in earlier.get(piece.symbol, ()) if _overlap(task.piece, piece)]
            number = _number(manifest, position, "b")
            outcome = writers.submit(_stage, store, piece, of_store, of_import, moment, source, number)
            task = _Task(Piece(piece.symbol, piece.rows.clear(), piece.first, piece.last), outcome)
            earlier.setdefault(piece.symbol, []).append(task)
            waiting.append(task)
            if len(waiting) > _AHEAD:
                yield waiting.popleft().outcome.result()
        yield from (task.outcome.result() for task in waiting)


def _stage(
    store: Store,
    piece: Piece,
    of_store: list[FileEntry],
    of_import: list[Future[tuple[Compared, FileEntry | None]]],
    moment: datetime,
    source: str,
    number: str,
) -> tuple[Compared, FileEntry | None]:
    # Pieces are taken up in their order, so that the earlier ones this waits for are under way or done.
    staged = [entry for _, entry in (outcome.result() for outcome in of_import) if entry is not None]
    compared = compare(
        piece, of_store=(data_paths(store, of_store), of_store), of_import=(_staged_paths(store, staged), staged)
    )
    if compared.rows.is_empty():
        return compared.without_rows(), None
    rows = compared.rows.select(
        pl.lit(piece.symbol).alias("symbol"),
        pl.all(),
        pl.lit(moment, MOMENT).alias("seen_at"),
        pl.lit(source).alias("source"),
    ).select(*_BARS.columns)
    return compared.without_rows(), stage_file(store, _BARS, rows, number)


def _staged_paths(store: Store, entries: Iterable[FileEntry]) -> list[Path]:
    return [store.staging / Path(entry.path).name for entry in entries]


def _by_symbol(entries: Iterable[FileEntry]) -> Mapping[str, list[FileEntry]]:
    listed: dict[str, list[FileEntry]] = {}
    for entry in entries:
        for symbol in entry.series or ():
            listed.setdefault(symbol, []).append(entry)
    return listed


def _meet(entry: FileEntry, piece: Piece) -> bool:
    return entry.first is None or entry.last is None or (entry.first <= piece.last and piece.first <= entry.last)


def _overlap(one: Piece, other: Piece) -> bool:
    return one.first <= other.last and other.first <= one.last


def _number(manifest: Manifest, position: int, kind: str) -> str:
    return f"{manifest.generation + 1:08d}-{kind}{position:05d}"


def _refuse_a_bad_file(held: pl.DataFrame, rows: int, files: list[Path]) -> None:
    if held.height > rows * _TOO_MANY_BAD:
        msg = (
            f"{', '.join(map(str, files))}: {held.height:,} of {rows:,} bars are bad ({held[REASON][0]}); "
            "mend the files; nothing was imported"
        )
        raise EngineError(msg)
