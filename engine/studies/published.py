"""What the documents print, figure by figure, what is known of it, and whether a computed one agrees to the digit."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar

from engine.panel import Sample
from engine.studies.errors import StudyError
from engine.studies.study import Value

__all__ = ["PUBLISHED_FILE", "Kind", "Published", "PublishedFigure", "agrees", "load_published"]

PUBLISHED_FILE = Path(__file__).resolve().parents[2] / "configs" / "published.toml"

Kind: TypeAlias = Literal["result", "setting", "words", "contradicted", "no public data"]
"""What a published figure is; all but the first are lists of tables or figures in the file.

``"result"``: found in data that the public can have. ``"setting"``: chosen by a document, a range, a threshold or a
confidence. ``"words"``: told in words, which only thresholds of this engine turn into something that data can show.
``"contradicted"``: public data answer it, and differ beyond what data and conventions explain. ``"no public data"``.
"""

LISTS: Mapping[str, Kind] = MappingProxyType(
    {"settings": "setting", "words": "words", "contradicted": "contradicted", "no_public_data": "no public data"}
)

Printed: TypeAlias = bool | int | Decimal | str | date | tuple["Printed", ...]

T = TypeVar("T")

ROW_KEYS = ("first", "date")
"""The day that names a row in a list of rows."""

_MONTH = re.compile(r"(?P<mid>mid-)?(?P<month>[A-Z][a-z]+) (?P<year>\d{4})")
_SPAN = re.compile(r"(?P<low>\d+)-(?P<high>\d+)")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class PublishedFigure:
    """One figure of a document.

    Attributes
    ----------
    id
        Its keys, joined by points.
    printed
        As the document prints it; a `Decimal` has the printed digits, trailing zeros too.
    kind
        What it is, and so whether data can be expected to give it back.
    remark
        What is known of its difference, or of its agreement, on the data of the researcher's note.
    """

    id: str
    printed: Printed
    kind: Kind = "result"
    remark: str | None = None

    @property
    def value(self) -> Value:
        """The figure as a plain value."""
        return _plain(self.printed)


@dataclass(frozen=True)
class Published:
    """All figures, by id, in the order of the file, and the sample they are said to be of."""

    figures: Mapping[str, PublishedFigure]
    sample: Sample


def load_published(path: Path = PUBLISHED_FILE) -> Published:
    """Read a file of published figures.

    Raises
    ------
    StudyError
        The file cannot be read, or has no ``[sample]`` with first and last.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        sample = Sample(content["sample"]["first"], content["sample"]["last"])
        kinds = {key: kind for name, kind in LISTS.items() for key in content.pop(name, ())}
        remarks = content.pop("remarks", {})
    except OSError as error:
        message = f"cannot read the published figures in {path}: {error.strerror}"
        raise StudyError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not a TOML file: {error}"
        raise StudyError(message) from None
    except (KeyError, TypeError):
        message = f"{path} has no [sample] with the first and the last day of the documents' sample"
        raise StudyError(message) from None
    figures = (
        PublishedFigure(name, printed, _of_table(kinds, name) or "result", _of_table(remarks, name))
        for name, printed in _flat(content, "")
    )
    return Published(MappingProxyType({figure.id: figure for figure in figures}), sample)


def _of_table(entries: Mapping[str, T], name: str) -> T | None:
    """Return what is said of a figure or of a table that it belongs to."""
    return next((entry for key, entry in entries.items() if f"{name}.".startswith(f"{key}.")), None)


def _flat(content: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Printed]]:
    """Yield id and printed figure of everything below a table."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for row in value:
                day = next(row[name] for name in ROW_KEYS if name in row)
                yield from _flat(row, f"{prefix}{day}.")
        else:
            yield f"{prefix}{key}", tuple(value) if isinstance(value, list) else value


def _plain(printed: Printed) -> Value:
    if isinstance(printed, tuple):
        return tuple(_plain(part) for part in printed)  # type: ignore[misc]  # lists in the file are never nested
    return float(printed) if isinstance(printed, Decimal) else printed


def agrees(printed: Printed, found: Value | None) -> bool:
    """Tell whether what was found, written with the printed digits, is what is printed.

    Parameters
    ----------
    printed
        A number agrees with one that rounds to it. ``"5-6"`` agrees with any number from 5 to 6; ``"May 2022"`` with
        any day of that month, ``"mid-May 2022"`` with its 11th to 20th; the ends of a range agree in any order.
        Everything else agrees with its equal.
    found
        None agrees with nothing.
    """
    if found is None:
        return False
    if isinstance(printed, tuple):
        if not isinstance(found, tuple) or len(printed) != len(found):
            return False
        pairs = zip(sorted(printed, key=str), sorted(found, key=str), strict=True)
        return all(agrees(part, other) for part, other in pairs)
    if isinstance(printed, bool) or isinstance(found, bool):
        return printed is found
    if isinstance(printed, int | Decimal):
        return isinstance(found, int | float) and _rounded_like(printed, found)
    return _words_agree(printed, found) if isinstance(printed, str) else printed == found


def _rounded_like(printed: int | Decimal, found: float) -> bool:
    digits = -int(printed.as_tuple().exponent) if isinstance(printed, Decimal) else 0
    return Decimal(f"{found:.{digits}f}") == printed


def _words_agree(printed: str, found: Value) -> bool:
    if isinstance(found, date) and (month := _MONTH.fullmatch(printed)):
        same_month = (found.year, _MONTHS[found.month - 1]) == (int(month["year"]), month["month"])
        return same_month and (month["mid"] is None or 11 <= found.day <= 20)
    if isinstance(found, int | float) and (span := _SPAN.fullmatch(printed)):
        return int(span["low"]) <= found <= int(span["high"])
    return printed == found
