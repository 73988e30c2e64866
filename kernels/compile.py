"""The one way this project compiles a function: numba, no step that changes the last bit, a cache that is always safe.

Arithmetic. Nothing here asks the compiler for anything that IEEE 754 does not allow, contraction included: which
product of ``a * b + c * d`` is fused depends on the machine, so a contracted kernel would differ between x86-64 and
arm64 in the last bit. Kernels gain their speed from the order of operations that they are written in, not from leave to
change it.

Cache. numba invalidates a cached function when the file it is written in changes, not when a function it inlines from
another file does. So the directory of the cache is named by a hash of all source that can be compiled in: this
package (always) and the roots a caller declares. numba picks the name of a data file by reading an index and then
writing it, which two processes can interleave so that one signature loads the other's code (numba #4807); here a file
lock spans both steps. A directory that cannot be written costs time, never an error.
"""

import contextlib
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import llvmlite
import llvmlite.binding
import numba
from numba.core import caching

__all__ = ["cache_directory", "compilation_notice", "compile_with", "direct", "inlined", "inner", "jit"]

Compiled = TypeVar("Compiled", bound=Callable[..., Any])

APPLICATION = "credit-stress-engine"
KERNELS = Path(__file__).parent
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": False}

KEPT_DIRECTORIES = 16
KEPT_SECONDS = 24 * 3600.0

CalledBy = Literal["anyone", "compiled code", "compiled code, inlined"]

_WITHOUT_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_CALLS: Mapping[CalledBy, Mapping[str, bool]] = {
    "anyone": {},
    "compiled code": _WITHOUT_WRAPPERS,
    "compiled code, inlined": {**_WITHOUT_WRAPPERS, "forceinline": True},
}

_listeners: list[Callable[[str], None]] = []


def compile_with(
    *, sources: Sequence[Path] = (), called_by: CalledBy = "anyone", allocates: bool = True
) -> Callable[[Compiled], Compiled]:
    """Return the decorator that compiles a function whose code may include functions of `sources`.

    Parameters
    ----------
    sources
        Files, or folders of ``.py`` files, besides this package. A change in any of them makes a new cache.
        Declare every place outside this package from which a compiled function calls another.
    called_by
        ``"anyone"``, Python included. ``"compiled code"`` only: without the wrappers by which Python and C call it, a
        function compiles in two thirds of the time, and Python that calls it all the same ends with a segmentation
        fault. ``"compiled code, inlined"``: it is also made part of each function that calls it, for a few operations
        in a hot loop.
    allocates
        Whether the function may make arrays. One that may not does not count references to those it is given, which
        threads would otherwise do in turn, at each of its calls.

    Notes
    -----
    The function compiles at its first call for each set of argument types, releases the interpreter lock while it
    runs, and divides by zero as numpy does.
    """
    roots = (KERNELS, *sources)

    def decorate(function: Compiled) -> Compiled:
        dispatcher = numba.njit(**OPTIONS, **_CALLS[called_by], _nrt=allocates)(function)
        directory = cache_directory(roots)
        if directory is not None and hasattr(dispatcher, "enable_caching"):  # not so under NUMBA_DISABLE_JIT
            # numba has no public way to pass a cache of one's own.
            dispatcher._cache = _SharedCache(function, directory)  # noqa: SLF001
        return dispatcher  # type: ignore[no-any-return]

    return decorate


def inlined(function: Compiled) -> Compiled:
    """Compile a function of this package into each of its callers, which are compiled too."""
    return compile_with(called_by="compiled code, inlined")(function)


def inner(function: Compiled) -> Compiled:
    """Compile a function of this package that only compiled code calls; a call from Python would end the process."""
    return compile_with(called_by="compiled code")(function)


def jit(function: Compiled) -> Compiled:
    """Compile a function of this package. Other packages use `compile_with` and declare their sources."""
    return compile_with()(function)


def direct(kernel: Callable[..., Any], *like: Any) -> Callable[..., Any]:
    """Return a kernel's machine code for arguments of the same types as `like`.

    Calling it spares numba's look at the type of every argument, a third of a microsecond. In exchange the caller
    answers for the types: they are not looked at again, and an array of another type would be misread.
    """
    if not hasattr(kernel, "get_overload"):  # NUMBA_DISABLE_JIT
        return kernel
    signature = tuple(numba.typeof(value) for value in like)
    kernel.compile(signature)  # type: ignore[attr-defined]
    return kernel.get_overload(signature)  # type: ignore[no-any-return]


@contextlib.contextmanager
def compilation_notice(notify: Callable[[str], None]) -> Iterator[None]:
    """Call `notify` with the name of each function that must be compiled, while the block runs.

    A first compilation takes seconds; this lets a program say what it is waiting for.
    """
    _listeners.append(notify)
    try:
        yield
    finally:
        _listeners.remove(notify)


@lru_cache
def cache_directory(roots: tuple[Path, ...] = (KERNELS,)) -> Path | None:
    """Return the directory that holds code compiled from `roots`, or None where no place can be written.

    Tried in turn: ``$ENGINE_CACHE``, the user's cache folder, a private folder under the temporary directory.
    """
    name = _fingerprint(roots)
    for parent in _cache_parents():
        directory = parent / name
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not _is_private(directory):
                continue
            with tempfile.TemporaryFile(dir=directory):
                pass
            os.utime(directory)
        except OSError:
            continue
        _prune(parent, keep=directory)
        return directory
    return None


def _cache_parents() -> Iterator[Path]:
    """Yield the places for the cache, best first."""
    chosen = os.environ.get("ENGINE_CACHE")
    if chosen:
        yield Path(chosen) / "compiled"
    with contextlib.suppress(RuntimeError):  # no home directory
        if sys.platform == "darwin":
            yield Path.home() / "Library" / "Caches" / APPLICATION / "compiled"
        else:
            yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / APPLICATION / "compiled"
    yield Path(tempfile.gettempdir()) / f"{APPLICATION}-{_user()}" / "compiled"


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_private(directory: Path) -> bool:
    """Tell whether nobody else can have put code there: loading a cached function runs it."""
    if not hasattr(os, "getuid"):
        return True
    status = directory.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _fingerprint(roots: Sequence[Path]) -> str:
    """Name what decides the machine code: the source, the compiler, the processor."""
    digest = hashlib.sha256()
    processor = (llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten())
    for part in (numba.__version__, llvmlite.__version__, sys.version, *processor, repr(OPTIONS)):
        digest.update(part.encode() + b"\0")
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


def _prune(parent: Path, keep: Path) -> None:
    """Remove what older source was compiled to: all but the newest directories and those used within a day."""
    with contextlib.suppress(OSError):
        siblings = sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for directory in siblings[KEPT_DIRECTORIES:]:
            if directory != keep and time.time() - directory.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes. Where there is none (Windows), numba's atomic renames must do."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 - absent on Windows

    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Locator(caching._CacheLocator):  # type: ignore[misc]  # noqa: SLF001 - the class numba documents for locators
    """Put a function's code into the directory of its source's hash."""

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._directory = directory
        self._module = function.__module__
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        """Return one folder for all functions of these sources."""
        return str(self._directory)

    def get_source_stamp(self) -> str:
        """Return what must match for cached code to be fresh: the directory's name already holds the hash."""
        return self._directory.name

    def get_disambiguator(self) -> str:
        """Tell functions of one name apart."""
        return f"{self._module}-{self._line}"


class _SharedCache(caching.FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, at a place of our own, safe for many processes, and never a cause of failure."""

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        class Implementation(caching.CompileResultCacheImpl):  # type: ignore[misc]
            def __init__(self, py_func: Callable[..., Any]) -> None:
                self._lineno = py_func.__code__.co_firstlineno
                self._locator = _Locator(py_func, directory)
                self._filename_base = self.get_filename_base(py_func.__qualname__, getattr(sys, "abiflags", ""))

        self._impl_class = Implementation
        self._lock = directory / ".lock"
        self._function = function.__qualname__
        super().__init__(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load compiled code; anything unreadable counts as absent, and is cleared for the next save."""
        try:
            found = super().load_overload(sig, target_context)
        except (OSError, EOFError, pickle.UnpicklingError):
            found = None
            with contextlib.suppress(OSError), _locked(self._lock):
                self.flush()
        if found is None:
            for notify in _listeners:
                notify(self._function)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save compiled code under the lock; a full or vanished disk costs the next start its time."""
        with contextlib.suppress(OSError), _locked(self._lock):
            super().save_overload(sig, data)
