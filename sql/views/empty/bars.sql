-- The table bars before its first file.
CREATE TABLE stored.bars_empty (
    symbol VARCHAR, moment TIMESTAMPTZ, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE,
    seen_at TIMESTAMPTZ, source VARCHAR
);
