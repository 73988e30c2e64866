"""Any sequence of writes and reads agrees with a model of a few lines of plain Python."""

from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from parquet_store import append, append_many, open_store, read_manifest, revise, scan
from tests.parquet_store.rows import held, macro, moment, prices

KEYS = st.tuples(st.sampled_from("ABC"), st.integers(0, 4))
VALUES = st.dictionaries(KEYS, st.integers(1, 3).map(float), min_size=1, max_size=6)
MINUTES = st.integers(0, 5)
WRITES = st.lists(st.tuples(MINUTES, VALUES), min_size=1, max_size=6)

few = settings(max_examples=40, deadline=None)


def latest(writes, as_of):
    """Return the current value of every key: what was seen last by a moment and, at one moment, written last."""
    current = {}
    for minutes, values in sorted(writes, key=lambda write: write[0]):
        if minutes <= as_of:
            current.update(values)
    return current


@few
@given(WRITES, MINUTES)
def test_appends_in_any_order_of_moments(writes, as_of):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        for minutes, values in writes:
            append(store, "macro", macro(values), seen_at=moment(minutes))
        assert held(store) == latest(writes, as_of=5)
        assert held(store, as_of=moment(as_of)) == latest(writes, as_of)


@few
@given(WRITES, MINUTES, st.sets(st.sampled_from("ABC"), min_size=1), st.integers(0, 4))
def test_pruned_reads_are_parts_of_whole_reads(writes, as_of, series, first):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        for minutes, values in writes:
            append(store, "macro", macro(values), seen_at=moment(minutes))
        whole = scan(store, "macro", as_of=moment(as_of)).collect()
        start = macro({("A", first): 1.0})["date"][0]
        part = scan(store, "macro", as_of=moment(as_of), series=series, first=start).collect()
        assert part.equals(whole.filter(whole["series"].is_in(series) & (whole["date"] >= start)))


@few
@given(WRITES, MINUTES)
def test_both_engines_read_the_same(writes, as_of):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        for minutes, values in writes:
            append(store, "macro", macro(values), seen_at=moment(minutes))
        rows = scan(store, "macro", as_of=moment(as_of))
        whole = rows.collect(engine="in-memory")
        assert rows.collect(engine="streaming").equals(whole)
        # A condition on the value must not bring an older version of a row back.
        large = pl.col("value") > 1.0
        assert rows.filter(large).collect().equals(whole.filter(large))


@few
@given(WRITES)
def test_two_tables_in_one_change_are_never_seen_apart(writes):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        for number, (minutes, values) in enumerate(writes, start=1):
            append_many(store, [("macro", macro(values)), ("prices", prices(values))], seen_at=moment(minutes))
            assert read_manifest(store).generation == number
            assert held(store, "macro") == held(store, "prices") == latest(writes[:number], as_of=5)


@few
@given(st.lists(VALUES, min_size=1, max_size=6))
def test_revising_writes_exactly_what_changed(offers):
    with TemporaryDirectory() as folder:
        store = open_store(folder, create=True)
        current = {}
        for minutes, values in enumerate(offers):
            changed = {key: value for key, value in values.items() if current.get(key) != value}
            new = {key for key in changed if key not in current}
            revision = revise(store, [("macro", macro(values))], seen_at=moment(minutes))
            states = revision.rows["macro"]["state"].to_list()
            assert sum(entry.rows for entry in revision.entries) == len(changed)
            assert (states.count("new"), states.count("revised")) == (len(new), len(changed) - len(new))
            current.update(values)
            assert held(store) == current
        for minutes in range(len(offers)):
            assert held(store, as_of=moment(minutes)) == latest(list(enumerate(offers)), as_of=minutes)
