-- The sessions of the New York Stock Exchange that were over by a moment, from the first to the last date of any price
-- series that trades on it.
CREATE MACRO sessions_as_of(seen_until) AS TABLE
WITH traded AS (
    SELECT min(date) AS first, max(date) AS last
    FROM prices_as_of(seen_until)
    WHERE symbol IN (SELECT series FROM series WHERE kind = 'price' AND calendar = 'nyse')
)
SELECT calendar.date, calendar.close_at
FROM session_calendar AS calendar, traded
WHERE calendar.date BETWEEN traded.first AND traded.last
    AND calendar.close_at <= seen_until::TIMESTAMPTZ
    AND calendar.close_at <= $as_of::TIMESTAMPTZ
ORDER BY calendar.date;
