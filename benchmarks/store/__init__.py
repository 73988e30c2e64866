"""The store of intraday bars against DuckDB over bare Parquet."""
