"""What importing and opening the store costs: no heavy library, one manifest, appends that read no data."""

import subprocess
import sys
from dataclasses import replace

import pytest

from parquet_store import append, open_store, read_manifest
from parquet_store.manifest import extended
from parquet_store.store import replace_manifest
from tests.parquet_store.rows import macro

HEAVY = ("pandas", "numba", "vectorbt", "plotly", "exchange_calendars", "duckdb", "pyarrow", "holidays", "arch")


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_loads_nothing_heavy():
    loaded = loaded_after("from parquet_store import *")
    assert "polars" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_status_and_import_load_no_data_frame_library_but_one(tmp_path):
    (tmp_path / "SPY.csv").write_text("date,SPY\n2024-01-02,1\n2024-01-04,1\n")
    code = (
        "from parquet_store import import_files, open_store, status\n"
        f"store = open_store({str(tmp_path / 'store')!r}, create=True)\n"
        f"import_files(store, [{str(tmp_path / 'SPY.csv')!r}])\n"
        "assert status(store)['gaps'].to_list() == [1]\n"
    )
    assert loaded_after(code) & set(HEAVY) == {"holidays"}


@pytest.fixture
def large(tmp_path):
    """Return a store whose manifest lists 2,000 files that are not there."""
    store = open_store(tmp_path / "store", create=True)
    entry = append(store, "macro", macro({(series, 0): 1.0 for series in "ABCDEFGHIJ"}))
    entries = [replace(entry, path=f"data/macro/{number}.parquet") for number in range(2000)]
    replace_manifest(store, extended(read_manifest(store), entries))
    return store


def test_append_opens_no_data_file(large):
    """The files of this store cannot be opened, so an append that reads one fails."""
    entry = append(large, "macro", macro({("A", 1): 1.0}))
    assert read_manifest(large).files[-1] == entry
    assert len(read_manifest(large).files) == 2002


def test_opening_reads_the_manifest_alone(large):
    assert len(read_manifest(open_store(large.root)).entries("macro")) == 2001
