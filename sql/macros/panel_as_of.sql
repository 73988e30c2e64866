-- One row a session and one column a series, as seen by a moment: null where nothing usable was known.
CREATE MACRO panel_as_of(seen_until) AS TABLE
WITH aligned AS MATERIALIZED (
    FROM aligned_as_of(seen_until)
)
FROM (PIVOT aligned ON series IN ($series) USING any_value(value) GROUP BY date)
ORDER BY date;
