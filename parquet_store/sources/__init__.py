"""Sources: one module a provider, each with a `Source` that says how to ask for bytes and how to read them.

A series of the universe names its source; a module of that name in this package is all that a new provider needs.
"""

from importlib import import_module
from pkgutil import iter_modules

from parquet_store.errors import EngineError
from parquet_store.sources.interface import Answer, Limits, Parsed, Request, Response, Source, Span, WrongAnswer

__all__ = [
    "FILES",
    "Answer",
    "Limits",
    "Parsed",
    "Request",
    "Response",
    "Source",
    "Span",
    "WrongAnswer",
    "find_source",
]

FILES = "file"
"""The source of series that no free provider has: they come in by `engine data import`."""


def find_source(name: str) -> Source:
    """Return the source that a series of the universe names.

    Raises
    ------
    EngineError
        If there is no such source.
    """
    modules = {module.name for module in iter_modules(__path__)}
    found = getattr(import_module(f"{__name__}.{name}"), "SOURCE", None) if name in modules else None
    if not isinstance(found, Source):
        msg = f"the universe names the source '{name}', which does not exist; see parquet_store/sources"
        raise EngineError(msg)
    return found
