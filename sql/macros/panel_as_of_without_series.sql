-- The panel of a store that holds no series.
CREATE MACRO panel_as_of(seen_until) AS TABLE
SELECT date FROM sessions_as_of(seen_until);
