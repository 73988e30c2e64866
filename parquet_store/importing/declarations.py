"""What is declared of a series: by the universe, by the user's flags, or by the file's own shape and columns.

Nothing is guessed. A series outside the universe whose conventions nobody declares is an error that names the
flags to give.
"""

from dataclasses import dataclass
from typing import get_args

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.importing.raw import import_error
from parquet_store.importing.shapes import ParsedFile, Rows
from parquet_store.schema import PRICE_BASES
from parquet_store.universe import Basis, Known, SeriesSpec, Universe, name_fault

__all__ = ["KINDS", "UNITS", "Declarations", "declared_word", "only_adjusted", "series_specs"]

KINDS = ("prices", "macro", "actions")
UNITS = ("percent", "basis_points", "index", "usd", "ratio", "count")

_ALLOWED = {"kind": KINDS, "unit": UNITS, "basis": PRICE_BASES, "known": get_args(Known)}


@dataclass(frozen=True)
class Declarations:
    """What the user declares of the files; None where nothing was declared.

    Attributes
    ----------
    name
        The name of the one series in the files.
    kind
        The table they are for: one of `KINDS`.
    unit
        The unit of the macro values in the files: one of `UNITS`.
    basis
        What the closes in the files have been adjusted for.
    known
        The rule by which values of a series outside the universe become known.
    source
        Where the files come from.

    Raises
    ------
    EngineError
        If a word is not one of those allowed, or the name is none that a series can have.
    """

    name: str | None = None
    kind: str | None = None
    unit: str | None = None
    basis: Basis | None = None
    known: Known | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        for flag, allowed in _ALLOWED.items():
            word = getattr(self, flag)
            if word is not None and word not in allowed:
                msg = f"--{flag} {word} is unknown; use one of {', '.join(allowed)}"
                raise EngineError(msg)
        fault = None if self.name is None else name_fault(self.name)
        if fault is not None:
            msg = f"--as {self.name!r} cannot be the name of a series: {fault}; choose another"
            raise EngineError(msg)


def declared_word(file: ParsedFile, rows: pl.DataFrame, flag: str, declared: Declarations) -> str | None:
    """Return the one unit or basis that the user or a column of the file declares for one series' rows.

    Raises
    ------
    EngineError
        If the column holds several words, or an unknown one.
    """
    if getattr(declared, flag) is not None:
        return str(getattr(declared, flag))
    if flag not in rows.columns:
        return None
    words = rows[flag].unique().sort().to_list()
    if len(words) > 1 or words[0] not in _ALLOWED[flag]:
        what = f"the column '{flag}' says {', '.join(words)}; a series has one of {', '.join(_ALLOWED[flag])}"
        raise import_error(file.table.path, what)
    return str(words[0])


def only_adjusted(rows: pl.DataFrame) -> bool:
    """Say whether price rows have adjusted closes and no others."""
    return bool(rows["close"].is_null().all()) and not bool(rows["adj_close"].is_null().all())


def series_specs(
    file: ParsedFile, kind: Rows, rows: pl.DataFrame, declared: Declarations, universe: Universe
) -> dict[str, SeriesSpec]:
    """Return the conventions of each series in one file's rows.

    Raises
    ------
    EngineError
        If the conventions of a series are not declared; the message lists these series and the missing flags. Also
        if a name is none that a series can have.
    """
    specs: dict[str, SeriesSpec] = {}
    undeclared: dict[str, list[str]] = {}
    for (symbol,), of_series in rows.group_by(["symbol"], maintain_order=True):
        name = str(symbol)
        spec = universe.find(name)
        fault = None if spec is not None else name_fault(name)
        if fault is not None:
            raise import_error(file.table.path, f"{name!r} cannot be the name of a series: {fault}; name it with --as")
        missing = [] if spec is not None else _missing_flags(file, kind, of_series, declared)
        if missing:
            undeclared.setdefault(" ".join(missing), []).append(name)
        else:
            specs[name] = spec or _spec_outside_the_universe(name, file, kind, of_series, declared)
    for flags, names in undeclared.items():
        what = f"the universe does not know {', '.join(names)}, and its conventions are not declared; add {flags}"
        raise import_error(file.table.path, what)
    return specs


def _missing_flags(file: ParsedFile, kind: Rows, rows: pl.DataFrame, declared: Declarations) -> list[str]:
    table = declared.kind if kind == "values" else kind
    if table is None:
        return ["--kind prices|macro"]
    missing = []
    if table == "prices" and _basis_outside_the_universe(file, rows, declared) is None:
        missing.append("basis")
    if table == "macro" and declared_word(file, rows, "unit", declared) is None:
        missing.append("unit")
    if table == "macro" and declared.known is None:
        missing.append("known")
    return [f"--{flag} {'|'.join(_ALLOWED[flag])}" for flag in missing]


def _basis_outside_the_universe(file: ParsedFile, rows: pl.DataFrame, declared: Declarations) -> str | None:
    """Return the declared basis; Yahoo's two closes, and adjusted closes alone, declare it by their names."""
    word = declared_word(file, rows, "basis", declared)
    if word is not None or "close" not in rows.columns:
        return word
    if only_adjusted(rows):
        return "dividend_adjusted"
    two_closes = rows["adj_close"].null_count() < rows.height
    return "split_adjusted" if file.provider == "yahoo" and two_closes else None


def _spec_outside_the_universe(
    name: str, file: ParsedFile, kind: Rows, rows: pl.DataFrame, declared: Declarations
) -> SeriesSpec:
    """Return what is declared as a spec; a price without a rule of its own is known at its session's close."""
    table = declared.kind if kind == "values" else kind
    if table == "macro":
        convention = {"kind": "macro", "unit": declared_word(file, rows, "unit", declared)}
    else:
        basis = _basis_outside_the_universe(file, rows, declared) if table == "prices" else "split_adjusted"
        convention = {"kind": "price", "unit": "usd", "basis": basis}
    common = {"name": name, "title": name, "symbol": name, "source": "file", "calendar": "nyse", "stale_after_days": 7}
    return SeriesSpec.model_validate({**common, **convention, "known": declared.known or "session_close"})
