-- A table before its first file, in the form of one with files.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
FROM stored.{table} WHERE seen_at <= seen_until::TIMESTAMPTZ;
