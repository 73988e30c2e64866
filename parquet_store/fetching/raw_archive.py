"""The raw archive: every answer of a fetch as it came, in one file a fetch, so that it can be read again later.

A file is ``raw/<moment>-<sha256>.parquet``. The moment is the ``seen_at`` of the rows that were read from it, the
sha256 that of the file itself; the manifest's entries name it. It has a row an answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import polars as pl

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced
from parquet_store.lock import exclusive
from parquet_store.schema import MOMENT
from parquet_store.sources.interface import Answer, Span
from parquet_store.store import Store

__all__ = [
    "KeptAnswer",
    "Purpose",
    "archive_folder",
    "archive_lock",
    "keep",
    "kept_answers",
    "kept_fetches",
    "moment_of",
]

Purpose = Literal["rows", "earlier", "vintages"]
"""What was asked for: recent rows or all, rows before those held, or what the provider showed in the past."""

_MOMENT = "%Y%m%dT%H%M%S%f"
_UNFINISHED = ".unfinished"
_COLUMNS = {
    "source": pl.String(),
    "series": pl.String(),
    "purpose": pl.String(),
    "asked_first": pl.Date(),
    "asked_last": pl.Date(),
    "url": pl.String(),
    "fetched_at": MOMENT,
    "sha256": pl.String(),
    "body": pl.Binary(),
}


@dataclass(frozen=True)
class KeptAnswer:
    """An answer, with what was asked for.

    Attributes
    ----------
    source, series
        The names of both in the universe.
    purpose, span
        Why, and which days.
    answer
        What came.
    """

    source: str
    series: str
    purpose: Purpose
    span: Span
    answer: Answer


def archive_folder(store: Store) -> Path:
    """Return where the archive lies."""
    return store.root / "raw"


@contextmanager
def archive_lock(store: Store) -> Iterator[None]:
    """Let one fetch at a time write: its answers, and the rows that were read from them.

    Raises
    ------
    StoreError
        If another fetch still writes after a minute, or the disk refuses.
    """
    with disk_faults_explained(f"the store at {store.root} could not be written and is unharmed"):
        make_folder(archive_folder(store))
        with exclusive(archive_folder(store) / "lock"):
            yield


def keep(store: Store, answers: Sequence[KeptAnswer], seen_at: datetime) -> str:
    """Write the answers of one fetch and return the sha256 of the file; the caller holds the archive's lock.

    Raises
    ------
    StoreError
        If the disk refuses.
    """
    rows = [_row(kept) for kept in answers]
    buffer = BytesIO()
    pl.DataFrame(rows, schema=_COLUMNS, orient="row").write_parquet(buffer, compression="zstd", compression_level=3)
    payload = buffer.getbuffer()
    digest = sha256(payload).hexdigest()
    folder = archive_folder(store)
    with disk_faults_explained(f"the raw answers could not be kept in {folder}, and nothing was stored"):
        for left in folder.glob(f"*{_UNFINISHED}"):
            left.unlink()
        staged = folder / f"{digest}{_UNFINISHED}"
        write_synced(staged, payload)
        publish(staged, folder / f"{seen_at.astimezone(UTC):{_MOMENT}}Z-{digest}.parquet")
    return digest


def kept_fetches(store: Store) -> list[Path]:
    """Return the files of the archive, the oldest fetch first."""
    return sorted(archive_folder(store).glob("*-*.parquet"))


def moment_of(path: Path) -> datetime:
    """Return the ``seen_at`` of the rows that were read from a file of the archive."""
    return datetime.strptime(path.name.split("Z-")[0], _MOMENT).replace(tzinfo=UTC)


def kept_answers(path: Path) -> list[KeptAnswer]:
    """Return the answers in a file of the archive, in the order in which they were kept.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    with disk_faults_explained(f"the raw answers {path} could not be read"):
        payload = path.read_bytes()
    if sha256(payload).hexdigest() != path.stem.split("Z-")[-1]:
        msg = f"the raw answers {path} are damaged: their bytes are not those of their name; restore them from a backup"
        raise StoreError(msg)
    return [_kept(row) for row in pl.read_parquet(BytesIO(payload)).rows(named=True)]


def _row(kept: KeptAnswer) -> tuple[Any, ...]:
    answer, span = kept.answer, kept.span
    asked = (kept.source, kept.series, kept.purpose, span.first, span.last)
    return (*asked, answer.url, answer.fetched_at, answer.sha256, answer.body)


def _kept(row: dict[str, Any]) -> KeptAnswer:
    answer = Answer(row["url"], row["body"], row["fetched_at"])
    return KeptAnswer(row["source"], row["series"], row["purpose"], Span(row["asked_first"], row["asked_last"]), answer)
