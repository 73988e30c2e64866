"""Files of the user and of the providers into the store."""

from parquet_store.importing.importer import import_files
from parquet_store.importing.report import ImportReport

__all__ = ["ImportReport", "import_files"]
