-- Every series at the close of every session, as seen by a moment: null where nothing usable was known.
CREATE MACRO panel_long_as_of(moment) AS TABLE
SELECT series.series, sessions.date, aligned.value
FROM sessions_as_of(moment) AS sessions
CROSS JOIN series
LEFT JOIN aligned_as_of(moment) AS aligned ON aligned.series = series.series AND aligned.date = sessions.date
ORDER BY series.series, sessions.date;
