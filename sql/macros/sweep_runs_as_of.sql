-- The latest state of each sweep among those seen by a moment.
CREATE MACRO sweep_runs_as_of(moment) AS TABLE
SELECT * EXCLUDE (file_order, row_order)
FROM stored.sweep_runs_revised
WHERE seen_at <= moment::TIMESTAMPTZ
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY seen_at DESC, file_order DESC, row_order DESC) = 1
ORDER BY seen_at, run_id;
