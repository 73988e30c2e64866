"""Checks of everything a store holds, and what can be done about what they find."""

from parquet_store.checks.check import CheckReport, check_store
from parquet_store.checks.repair import RepairReport, drop_answers, drop_files, repair_store
from parquet_store.checks.rows import faulty_rows

__all__ = [
    "CheckReport",
    "RepairReport",
    "check_store",
    "drop_answers",
    "drop_files",
    "faulty_rows",
    "repair_store",
]
