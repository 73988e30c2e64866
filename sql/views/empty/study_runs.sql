-- The table study_runs before its first file.
CREATE TABLE stored.study_runs_empty (run_id VARCHAR, seen_at TIMESTAMPTZ);
