"""Which code made a number: the package's version and a hash of the source that computes."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version", "computing_engine"]

_ENGINE = Path(__file__).resolve().parent
_SHOWING = frozenset({"audit", "report", "__pycache__"})


def computing_engine() -> tuple[Path, ...]:
    """Files and folders of the engine that a number can depend on: all but those that only show or check results."""
    return tuple(sorted(path for path in _ENGINE.iterdir() if path.name not in _SHOWING))


@cache
def code_version() -> str:
    """Return for example ``0.1.0+3f2a9c41``; one version gives the same results on the same data, to the last bit."""
    root = _ENGINE.parent
    digest = hashlib.sha256()
    for source in (*computing_engine(), root / "kernels", root / "sql"):
        for path in sorted(source.rglob("*")) if source.is_dir() else (source,):
            if path.suffix in {".py", ".sql"}:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    try:
        released = version("credit-stress-engine")
    except PackageNotFoundError:
        released = "0"
    return f"{released}+{digest.hexdigest()[:8]}"
