-- The table sweep_runs before its first file.
CREATE TABLE stored.sweep_runs_once (run_id VARCHAR, seen_at TIMESTAMPTZ);
