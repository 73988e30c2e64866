-- The table sweep_results before its first file.
CREATE TABLE stored.sweep_results_once (run_id VARCHAR, seen_at TIMESTAMPTZ);
