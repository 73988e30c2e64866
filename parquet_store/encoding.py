"""How the rows of a data file become bytes."""

from io import BytesIO

import polars as pl

from parquet_store.schema import TableSchema

__all__ = ["parquet_bytes"]

_ROW_GROUP = 122_880
_LEVEL = 1
"""Of zstd: a quarter larger than the usual level, and written in two thirds of the time."""


def parquet_bytes(schema: TableSchema, frame: pl.DataFrame) -> memoryview:
    """Return the rows of a table as a Parquet file.

    Equal frames give equal bytes under one version of Polars and PyArrow.
    """
    buffer = BytesIO()
    if schema.one_series_a_file:
        _write_long(schema, frame, buffer)
    else:
        frame.write_parquet(
            buffer, compression="zstd", compression_level=_LEVEL, statistics="full", row_group_size=_ROW_GROUP
        )
    return buffer.getbuffer()


def _write_long(schema: TableSchema, frame: pl.DataFrame, buffer: BytesIO) -> None:
    """Write a long series with rising moments as differences and prices as dictionaries, which Polars does not offer.

    A million bars take half the bytes of Polars' own encoding, and DuckDB aggregates them in four fifths of the time.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a moment to import, and only large tables need it

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        compression_level=_LEVEL,
        row_group_size=_ROW_GROUP,
        use_dictionary=[name for name in frame.columns if name != schema.date],
        column_encoding={schema.date: "DELTA_BINARY_PACKED"},
    )
