-- The rows of a view that were seen by a moment.
CREATE MACRO stored.{macro}(moment) AS TABLE
FROM stored.{view} WHERE seen_at <= moment::TIMESTAMPTZ;
