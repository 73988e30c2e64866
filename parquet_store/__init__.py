"""Market data on disk: append-only Parquet files under one manifest, read as of any moment."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parquet_store.calendar import known_at, sessions
    from parquet_store.errors import EngineError, StoreError
    from parquet_store.exporter import export
    from parquet_store.history import list_revisions
    from parquet_store.importing import ImportReport, import_files
    from parquet_store.integrity import refuse_damage
    from parquet_store.inventory import status
    from parquet_store.manifest import FileEntry, Manifest
    from parquet_store.reader import scan
    from parquet_store.revisions import Revision, revise
    from parquet_store.schema import SCHEMAS, TableSchema
    from parquet_store.store import (
        Store,
        default_root,
        find_store,
        open_store,
        read_manifest,
        restore_manifest,
        store_to_fill,
    )
    from parquet_store.universe import SeriesSpec, Universe, load_universe
    from parquet_store.writer import SIMULATED, append, append_many

__all__ = [
    "SCHEMAS",
    "SIMULATED",
    "EngineError",
    "FileEntry",
    "ImportReport",
    "Manifest",
    "Revision",
    "SeriesSpec",
    "Store",
    "StoreError",
    "TableSchema",
    "Universe",
    "append",
    "append_many",
    "default_root",
    "export",
    "find_store",
    "import_files",
    "known_at",
    "list_revisions",
    "load_universe",
    "open_store",
    "read_manifest",
    "refuse_damage",
    "restore_manifest",
    "revise",
    "scan",
    "sessions",
    "status",
    "store_to_fill",
]

_MODULES = {
    "calendar": ("known_at", "sessions"),
    "errors": ("EngineError", "StoreError"),
    "exporter": ("export",),
    "history": ("list_revisions",),
    "importing": ("ImportReport", "import_files"),
    "integrity": ("refuse_damage",),
    "inventory": ("status",),
    "manifest": ("FileEntry", "Manifest"),
    "reader": ("scan",),
    "revisions": ("Revision", "revise"),
    "schema": ("SCHEMAS", "TableSchema"),
    "store": (
        "Store",
        "default_root",
        "find_store",
        "open_store",
        "read_manifest",
        "restore_manifest",
        "store_to_fill",
    ),
    "universe": ("SeriesSpec", "Universe", "load_universe"),
    "writer": ("SIMULATED", "append", "append_many"),
}


def __getattr__(name: str) -> object:
    """Import what the package offers when it is first asked for: a command should pay for what it uses alone."""
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = found
            return found
    msg = f"module '{__name__}' has no attribute '{name}'"
    raise AttributeError(msg)
