-- The table sweep_runs before its first file.
CREATE TABLE stored.sweep_runs_empty (run_id VARCHAR, seen_at TIMESTAMPTZ);
