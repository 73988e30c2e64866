-- Every trial seen by a moment; a parameter that a strategy does not have is null in its rows.
CREATE MACRO sweep_results_as_of(moment) AS TABLE
SELECT * EXCLUDE (file_order, row_order)
FROM stored.sweep_results_once
WHERE seen_at <= moment::TIMESTAMPTZ;
