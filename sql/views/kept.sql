-- What is aligned, computed once: for a connection that is asked for it many times.
CREATE TABLE kept_sessions AS FROM sessions_as_of('infinity');
CREATE TABLE kept_alignment AS FROM aligned_as_of('infinity');
CREATE TABLE kept_panel AS FROM panel_as_of('infinity');

CREATE OR REPLACE VIEW sessions AS FROM kept_sessions ORDER BY date;
CREATE OR REPLACE VIEW aligned AS FROM kept_alignment;
CREATE OR REPLACE VIEW panel AS FROM kept_panel ORDER BY date;
