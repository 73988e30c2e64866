-- The table study_figures before its first file.
CREATE TABLE stored.study_figures_empty (run_id VARCHAR, seen_at TIMESTAMPTZ);
