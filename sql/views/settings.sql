-- Moments are shown in UTC, on every machine.
SET GLOBAL TimeZone = 'UTC';
-- What does not fit in memory goes where temporary files belong, not into the folder from which the query was asked.
SET GLOBAL temp_directory = $folder;
-- A bar that DuckDB draws on standard output would stand in the middle of what a command writes there.
SET enable_progress_bar = false;
