-- The table actions before its first file.
CREATE TABLE stored.actions_empty (
    symbol VARCHAR, date DATE, kind VARCHAR, value DOUBLE, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);
