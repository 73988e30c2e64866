"""What a store holds, without the moments at which it saw it."""

import polars as pl

from parquet_store import Store, scan

TABLES = ("prices", "actions", "macro")

Rows = dict[str, pl.DataFrame]


def stored(store: Store) -> Rows:
    """Return the rows of all market tables."""
    return {table: scan(store, table).drop("seen_at").collect() for table in TABLES}


def of_series(rows: Rows, series: str) -> Rows:
    """Return the rows of one series."""
    return {table: frame.filter(pl.col(frame.columns[0]) == series) for table, frame in rows.items()}


def same(left: Rows, right: Rows) -> bool:
    return all(left[table].equals(right[table]) for table in TABLES)


def each_row_is_in(found: Rows, *allowed: Rows) -> bool:
    """Say whether each row is, value by value, one of some stores' rows."""
    return all(
        found[table]
        .join(pl.concat([rows[table] for rows in allowed]), on=found[table].columns, how="anti", nulls_equal=True)
        .is_empty()
        for table in TABLES
    )


def lacks_none_of(found: Rows, earlier: Rows) -> bool:
    """Say whether every key of an earlier state is still there."""
    keys = {"prices": ["symbol", "date"], "actions": ["symbol", "date", "kind"], "macro": ["series", "date"]}
    return all(earlier[table].join(found[table], on=keys[table], how="anti").is_empty() for table in TABLES)
