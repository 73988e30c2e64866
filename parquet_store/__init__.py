"""Market data on disk: append-only Parquet files under one manifest, read as of any moment."""

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
from parquet_store.store import Store, default_root, find_store, open_store, read_manifest, restore_manifest
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
]
