"""The package's own statements: .sql files with places for values, which are filled in as quoted literals only."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = ["Value", "identifier", "literal", "statement"]

Value = str | bool | Sequence[str]
"""What can be filled in."""

_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\$([a-z_]+)|\{([a-z_]+)\}")


def statement(
    path: str, values: Mapping[str, Value] | None = None, names: Mapping[str, str | Sequence[str]] | None = None
) -> str:
    """Return the text of a file of this package with its places filled in.

    Parameters
    ----------
    path
        The file, relative to this package.
    values
        What stands for each ``$place``: written as a literal, whatever it holds.
    names
        What stands for each ``{place}``: written as a quoted identifier, or several with commas.

    Raises
    ------
    KeyError
        If a place has no value.
    """
    return _PLACE.sub(
        lambda place: literal((values or {})[place[1]]) if place[1] else identifier((names or {})[place[2]]),
        _text(path),
    )


def literal(value: Value) -> str:
    """Return a value as an SQL literal: text, true or false, or texts with commas between them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return ", ".join(literal(item) for item in value)


def identifier(name: str | Sequence[str]) -> str:
    """Return a name as a quoted SQL identifier, or several with commas between them."""
    if not isinstance(name, str):
        return ", ".join(identifier(each) for each in name)
    return '"' + name.replace('"', '""') + '"'


@cache
def _text(path: str) -> str:
    return (_FOLDER / path).read_text(encoding="utf-8")
