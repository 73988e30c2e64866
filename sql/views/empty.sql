-- The columns of every table of the store, without rows: what a table reads as before its first file is written.
CREATE SCHEMA empty;

CREATE TABLE empty.prices (
    symbol VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE,
    basis VARCHAR, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);

CREATE TABLE empty.actions (
    symbol VARCHAR, date DATE, kind VARCHAR, value DOUBLE, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);

CREATE TABLE empty.macro (
    series VARCHAR, date DATE, value DOUBLE, unit VARCHAR, known_at TIMESTAMPTZ, seen_at TIMESTAMPTZ, source VARCHAR
);

CREATE TABLE empty.sweep_runs (run_id VARCHAR, seen_at TIMESTAMPTZ);

CREATE TABLE empty.sweep_results (run_id VARCHAR, seen_at TIMESTAMPTZ);

-- Every row ever written, revisions included; one view for each part of each table.
CREATE SCHEMA stored;
