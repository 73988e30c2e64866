-- The table sweep_results before its first file.
CREATE TABLE stored.sweep_results_empty (run_id VARCHAR, seen_at TIMESTAMPTZ);
