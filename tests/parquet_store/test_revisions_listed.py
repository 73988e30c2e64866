"""The list of revisions: what changed, when, and by how much."""

import pytest

from parquet_store import StoreError, append, open_store
from parquet_store.history import list_revisions, versions
from tests.parquet_store.rows import MONDAY, macro, moment, prices


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "store", create=True)
    append(opened, "macro", macro({("A", 0): 1.0, ("A", 1): 2.0, ("B", 0): 7.0}), seen_at=moment(0))
    append(opened, "macro", macro({("A", 0): 1.5}), seen_at=moment(10))
    append(opened, "macro", macro({("A", 0): 1.25, ("A", 1): 2.0}), seen_at=moment(20))
    return opened


def test_each_change_is_listed_with_its_size_and_moments(store):
    found = list_revisions(store, "A")
    assert found.select("table", "date", "column", "before", "after", "change").rows() == [
        ("macro", MONDAY, "value", 1.0, 1.5, 0.5),
        ("macro", MONDAY, "value", 1.5, 1.25, -0.25),
    ]
    assert found.select("seen_before", "seen_at").rows() == [(moment(0), moment(10)), (moment(10), moment(20))]
    assert versions(store, "macro", "A").height == 5


def test_as_of_leaves_out_what_came_later(store):
    assert list_revisions(store, "A", as_of=moment(10)).height == 1
    assert list_revisions(store, "A", as_of=moment(9)).is_empty()


def test_prices_list_each_column_that_changed(store):
    append(store, "prices", prices({("SPY", 0): 100.0}), seen_at=moment(0))
    append(store, "prices", prices({("SPY", 0): 101.0}), seen_at=moment(5))
    assert list_revisions(store, "SPY").select("column", "change").rows() == [("close", 1.0)]


def test_a_series_that_is_not_held_is_an_error(store):
    with pytest.raises(StoreError, match="has no rows of VIX; see `engine data status`"):
        list_revisions(store, "^VIX")
