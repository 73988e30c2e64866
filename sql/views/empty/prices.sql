-- The table prices before its first file.
CREATE TABLE stored.prices_empty (
    symbol VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE,
    basis VARCHAR, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);
