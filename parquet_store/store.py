"""Where a store lies, how it is opened and how its manifest is read."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from parquet_store.errors import StoreError
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced
from parquet_store.lock import exclusive
from parquet_store.manifest import Manifest, decode, empty_manifest, encode

__all__ = [
    "Store",
    "default_root",
    "find_store",
    "open_store",
    "read_manifest",
    "replace_manifest",
    "restore_manifest",
    "store_to_fill",
]

_LONGEST_NAME = 240


@dataclass(frozen=True)
class Store:
    """A store on disk.

    Attributes
    ----------
    root
        Its folder: ``manifest.json`` and a copy of it, ``data/<table>/*.parquet``, ``raw/*.parquet`` for what providers
        answered, ``staging/`` for files being written, and ``lock``.
    """

    root: Path

    @property
    def manifest_path(self) -> Path:
        """The file that lists all data files."""
        return self.root / "manifest.json"

    @property
    def copy_path(self) -> Path:
        """A second copy of the manifest, for the day on which the first cannot be read."""
        return self.root / "manifest.copy.json"

    @property
    def lock_path(self) -> Path:
        """The file that a writer locks."""
        return self.root / "lock"

    @property
    def staging(self) -> Path:
        """The folder of files that are not yet part of the store."""
        return self.root / "staging"

    def folder(self, table: str) -> Path:
        """Return the folder of a table's data files."""
        return self.root / "data" / table

    def series_folder(self, table: str, series: str) -> Path:
        """Return the folder of a series in a table whose files hold one series each.

        It is ``series=`` and the name's UTF-8 bytes in hexadecimal: no name can lead elsewhere, and readers that know
        folders of this form, as DuckDB does, leave out the other series without opening a file.

        Raises
        ------
        StoreError
            If the name is too long for a folder.
        """
        name = series.encode().hex()
        if len(name) > _LONGEST_NAME:
            msg = f"the name '{series[:20]}…' is longer than {_LONGEST_NAME // 2} bytes; shorten it"
            raise StoreError(msg)
        return self.folder(table) / f"series={name}"

    def run_folder(self, table: str, run_id: str) -> Path:
        """Return the folder of a run's files in a table whose runs lie apart."""
        return self.folder(table) / f"run={quote(run_id, safe='')}"


def default_root() -> Path:
    """Return the store's place when none is given: the environment variable ``ENGINE_STORE``, else ``./store``."""
    return Path(os.environ.get("ENGINE_STORE") or "store")


def open_store(root: str | Path, *, create: bool = False) -> Store:
    """Open a store.

    Parameters
    ----------
    root
        Its folder.
    create
        Whether to make an empty store where there is none; the folder must then be absent or empty.

    Raises
    ------
    StoreError
        If there is no store, the folder is not a store, it was written by a newer version, or it cannot be made.
    """
    found = find_store(root)
    if found is not None:
        return found
    store = Store(Path(root))
    if not create:
        msg = (
            f"there is no store at {store.root}; "
            "make one with `engine data demo`, `engine data fetch` or `engine data import FILE`"
        )
        raise StoreError(msg)
    with disk_faults_explained(f"no store could be made at {store.root}"):
        make_folder(store.staging)
        with exclusive(store.lock_path):
            if not store.manifest_path.is_file():
                replace_manifest(store, empty_manifest())
    return store


@contextmanager
def store_to_fill(root: str | Path) -> Iterator[Store]:
    """Open a store for a block that fills it; one that is made here is removed again if the block fails to.

    Raises
    ------
    StoreError
        As `open_store`.
    """
    found = find_store(root)
    if found is not None:
        yield found
        return
    place = Path(root)
    absent = [folder for folder in (place, *place.parents) if not folder.exists()]
    store = open_store(place, create=True)
    try:
        yield store
    except BaseException:
        _unmake(store, absent)
        raise


def find_store(root: str | Path) -> Store | None:
    """Return the store at a folder; None where there is none yet and one can be made.

    Raises
    ------
    StoreError
        If the folder is not a store, or was written by a newer version.
    """
    store = Store(Path(root))
    if store.manifest_path.is_file():
        read_manifest(store)
        return store
    if store.root.exists() and not _is_unfinished(store):
        msg = f"{store.root} is not a store: it has no manifest.json; choose an empty or absent folder with --store"
        raise StoreError(msg)
    return None


def read_manifest(store: Store) -> Manifest:
    """Read what the store holds now.

    Raises
    ------
    StoreError
        If the manifest is absent, damaged or of a newer version.
    """
    try:
        payload = store.manifest_path.read_bytes()
    except OSError as error:
        msg = f"the manifest {store.manifest_path} cannot be read: {error.strerror}"
        raise StoreError(msg) from error
    return decode(payload, store.manifest_path)


def replace_manifest(store: Store, manifest: Manifest) -> None:
    """Make `manifest` what the store holds, in one step; the caller holds the lock.

    Its copy is written first: one that is older than the manifest would lose the last change, and a newer one lists
    files that are in their places already.
    """
    payload = encode(manifest)
    for path in (store.copy_path, store.manifest_path):
        staged = store.staging / path.name
        write_synced(staged, payload)
        publish(staged, path)


def restore_manifest(root: str | Path) -> bool:
    """Put the copy of the manifest in its place where the manifest cannot be read; return whether that was needed.

    Raises
    ------
    StoreError
        If the copy cannot be read either, or the disk refuses.
    """
    store = Store(Path(root))
    if not store.copy_path.is_file():
        return False
    with disk_faults_explained(f"the manifest {store.manifest_path} could not be restored"), exclusive(store.lock_path):
        try:
            read_manifest(store)
        except StoreError:
            payload = store.copy_path.read_bytes()
            decode(payload, store.copy_path)
            make_folder(store.staging)
            staged = store.staging / store.manifest_path.name
            write_synced(staged, payload)
            publish(staged, store.manifest_path)
            return True
    return False


def _unmake(store: Store, made: Sequence[Path]) -> None:
    """Remove a store that nobody has written to, and the folders that were made for it; a fault leaves it standing."""
    with suppress(OSError, StoreError), exclusive(store.lock_path):
        if read_manifest(store).generation or (store.root / "raw").exists():
            return
        for folder in (store.staging, store.root / "data"):
            shutil.rmtree(folder, ignore_errors=True)
        for path in (store.copy_path, store.manifest_path, store.lock_path):
            path.unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


def _is_unfinished(store: Store) -> bool:
    """Say whether the folder is empty, or is what a crash leaves of making a store."""
    if not store.root.is_dir():
        return False
    # The manifest is in the set because another process may be making the same store at this moment.
    made = {store.lock_path.name, store.staging.name, store.manifest_path.name, store.copy_path.name}
    return {path.name for path in store.root.iterdir()} <= made
