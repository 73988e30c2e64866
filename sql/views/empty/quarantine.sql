-- The table quarantine before its first file.
CREATE TABLE stored.quarantine_empty (
    table_name VARCHAR, series VARCHAR, date DATE, "row" VARCHAR, reason VARCHAR, status VARCHAR, source VARCHAR,
    raw_sha256 VARCHAR, seen_at TIMESTAMPTZ
);
