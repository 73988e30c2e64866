"""Which code made a number: the package's version and a hash of the source that computes."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version"]

_COMPUTING = ("engine", "kernels", "sql")


@cache
def code_version() -> str:
    """Return for example ``0.1.0+3f2a9c41``; one version gives the same results on the same data, to the last bit."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in _COMPUTING:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".sql"}:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    try:
        released = version("credit-stress-engine")
    except PackageNotFoundError:
        released = "0"
    return f"{released}+{digest.hexdigest()[:8]}"
