-- The table macro before its first file.
CREATE TABLE stored.macro_empty (
    series VARCHAR, date DATE, value DOUBLE, unit VARCHAR, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);
