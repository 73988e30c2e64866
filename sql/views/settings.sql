-- Moments are shown in UTC, on every machine.
SET GLOBAL TimeZone = 'UTC';
-- What does not fit in memory goes where temporary files belong, not into the folder from which the query was asked.
SET GLOBAL temp_directory = $folder;
-- A question that takes long must not draw a bar into the output of a command.
SET enable_progress_bar = false;
