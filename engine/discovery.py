"""Which modules of a folder define something by a given name: what is put there is found, no list has to name it."""

import importlib
import re
from pathlib import Path
from typing import Any

__all__ = ["defined_in", "modules_defining"]


def modules_defining(package: str, name: str) -> tuple[str, ...]:
    """Return the modules of a package that assign to ``name`` at their top level, sorted, without importing them."""
    folder = Path(importlib.import_module(package).__path__[0])
    assignment = re.compile(rf"^{re.escape(name)}(: \w+)? = ", re.MULTILINE)
    return tuple(sorted(path.stem for path in folder.glob("*.py") if assignment.search(path.read_text("utf-8"))))


def defined_in(package: str, module: str, name: str) -> Any:
    """Import a module of a package and return what it defines by that name."""
    return getattr(importlib.import_module(f"{package}.{module}"), name)
