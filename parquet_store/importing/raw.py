"""From bytes to a raw table: the cells of one file as they stand, with the place of each row."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path

import polars as pl

from parquet_store.errors import EngineError

__all__ = ["FILE", "LINE", "RawTable", "import_error", "list_files", "place", "read_raw"]

FILE = "__file"
LINE = "__line"
"""Columns that carry each row's origin up to the last check, so that every message can name it."""

_READABLE = (".csv", ".parquet")


@dataclass(frozen=True)
class RawTable:
    """One file's cells.

    Attributes
    ----------
    path
        The file.
    frame
        Its columns under their own names (text for CSV, typed for Parquet), with `LINE`.
    """

    path: Path
    frame: pl.DataFrame

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the file's own columns, in their order."""
        return tuple(name for name in self.frame.columns if name != LINE)


def import_error(path: Path | str, what: str) -> EngineError:
    """Return the error of a file that cannot be imported."""
    return EngineError(f"{path}: {what}; nothing was imported")


def place(path: Path | str, line: int) -> str:
    """Return a row's place in words; a Parquet file has rows instead of lines."""
    return f"{path} {'line' if Path(path).suffix.lower() == '.csv' else 'row'} {line}"


def list_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files to import: those given, and the CSV and Parquet files of the folders given.

    Raises
    ------
    EngineError
        If a path is absent, a folder holds nothing to import, a file is of another kind, or one is given twice.
    """
    files = [file for path in paths for file in _files_at(Path(path))]
    if not files:
        msg = "no file was given to import"
        raise EngineError(msg)
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            raise import_error(file, "the file is given twice; give it once")
        seen.add(file.resolve())
    return files


def _files_at(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(file for file in path.iterdir() if file.is_file() and file.suffix.lower() in _READABLE)
        if not inside:
            raise import_error(path, "the folder holds no .csv or .parquet file; give another one")
        return inside
    if not path.exists():
        raise import_error(path, "there is no such file; check the path")
    if path.suffix.lower() not in _READABLE:
        raise import_error(path, "only .csv and .parquet files can be imported; convert it first")
    return [path]


def read_raw(path: Path) -> RawTable:
    """Read one file without interpreting its cells.

    Raises
    ------
    EngineError
        If it cannot be read, is not what its name says, or has no rows; with the line where there is one.
    """
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise import_error(path, f"the file cannot be read ({error.strerror})") from error
    if not payload.strip():
        raise import_error(path, "the file is empty; download it again")
    if path.suffix.lower() == ".csv":
        frame, first_row = _read_csv(path, payload), 2
    else:
        frame, first_row = _read_parquet(path, payload), 1
    numbered = frame.with_row_index(LINE, offset=first_row).filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))
    if numbered.is_empty():
        raise import_error(path, "the file has a header and no rows; download it again")
    return RawTable(path, numbered)


def _read_parquet(path: Path, payload: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(BytesIO(payload))
    except pl.exceptions.PolarsError as error:
        raise import_error(path, "the file is damaged or no Parquet file; download it again") from error


def _read_csv(path: Path, payload: bytes) -> pl.DataFrame:
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = payload.count(b"\n", 0, error.start) + 1
        raise import_error(path, f"line {line} is not UTF-8 text; save the file as UTF-8") from error
    header = _header(path, text)
    try:
        frame = pl.read_csv(BytesIO(text.encode()), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        _refuse_ragged_lines(path, text, len(header))
        raise import_error(path, f"the file cannot be read as CSV ({str(error).splitlines()[0]})") from error
    if frame.height and frame.to_series(-1).null_count():
        _refuse_ragged_lines(path, text, len(header))
    return frame


def _header(path: Path, text: str) -> list[str]:
    if text.lstrip()[:1] in "<{":
        raise import_error(path, "the file holds a web page or a message, not a table; download it again")
    header = next(_rows(text))[1]
    if len(header) < 2:
        raise import_error(path, "line 1 has no two columns separated by a comma; save the file with commas")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise import_error(path, f"line 1 names the column '{repeated[0]}' twice; keep one of them")
    return header


def _refuse_ragged_lines(path: Path, text: str, width: int) -> None:
    for line, cells in islice(_rows(text), 1, None):
        if cells and len(cells) != width:
            what = (
                f"line {line} has {len(cells)} cells and the header {width}; mend the line or download the file again"
            )
            raise import_error(path, what)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text))
    return ((reader.line_num, cells) for cells in reader)
