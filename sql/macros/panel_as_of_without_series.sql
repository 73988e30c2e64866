-- The panel of a store that holds no series.
CREATE MACRO panel_as_of(moment) AS TABLE
SELECT date FROM sessions_as_of(moment);
