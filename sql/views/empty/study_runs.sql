-- The table study_runs before its first file.
CREATE TABLE stored.study_runs_once (run_id VARCHAR, seen_at TIMESTAMPTZ);
