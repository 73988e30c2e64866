-- Every series at the close of every session, as seen by a moment: null where nothing usable was known.
CREATE MACRO panel_long_as_of(seen_until) AS TABLE
WITH aligned AS MATERIALIZED (
    FROM aligned_as_of(seen_until)
)
SELECT series.series, sessions.date, aligned.value
FROM (SELECT date FROM aligned WHERE series IS NULL) AS sessions
CROSS JOIN series
LEFT JOIN aligned USING (series, date)
ORDER BY series.series, sessions.date;
