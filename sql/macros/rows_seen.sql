-- The rows of a view that were seen by a moment.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
FROM stored.{view} WHERE seen_at <= seen_until::TIMESTAMPTZ;
