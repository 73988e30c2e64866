-- What was known of each series at the close of each session, as seen by a moment: rows where something was, with the day
-- the value is dated (dated) and the moment it became known, and for each session one row without a series.
--
-- A price of the exchange's own calendar counts on its own day only. Everything else is the last row, by date, that was
-- known at the close, as long as it is not too old: known on the session's own day (carry none), in its week (carry week),
-- within 35 days (carry month), or within 7 days (prices that trade every day).
--
-- Only joins by equality and windows over maxima: their plans do not depend on estimates, nor their results on the order
-- of rows.
CREATE MACRO aligned_as_of(seen_until) AS TABLE
WITH closes AS MATERIALIZED (
    SELECT
        date AS session,
        close_at,
        timezone('America/New_York', date::TIMESTAMP) AS day_begin,
        timezone('America/New_York', date_trunc('week', date)::TIMESTAMP) AS week_begin
    FROM sessions_as_of(seen_until)
),
adjusted_closes AS MATERIALIZED (
    SELECT symbol AS series, date, close AS value, known_at FROM adjusted_as_of(seen_until)
),
every_day AS (
    SELECT series FROM series WHERE kind = 'price' AND calendar = 'daily'
),
-- The exchange and the bond market are closed at weekends; rows dated there (ICE's at the end of a month) are dropped.
carried AS MATERIALIZED (
    SELECT series, date, value, known_at, 'seven_days' AS carry
    FROM adjusted_closes
    WHERE series IN (FROM every_day)
    UNION ALL
    SELECT series, macro.date, macro.value, macro.known_at, rules.carry
    FROM macro_as_of(seen_until) AS macro
    JOIN (FROM series WHERE kind = 'macro') AS rules USING (series)
    WHERE rules.calendar NOT IN ('nyse', 'bond') OR isodow(macro.date) <= 5
),
-- The first session at whose close each moment lay in the past.
arrivals AS (
    SELECT
        known_at,
        min(session) OVER (ORDER BY known_at DESC, session NULLS LAST ROWS UNBOUNDED PRECEDING) AS arrival
    FROM (
        SELECT close_at AS known_at, session FROM closes
        UNION ALL
        SELECT DISTINCT known_at, NULL FROM carried
    )
    QUALIFY session IS NULL AND arrival IS NOT NULL
),
newest AS (
    SELECT carried.series, arrivals.arrival AS session, max(carried.date) AS date
    FROM carried
    JOIN arrivals USING (known_at)
    GROUP BY ALL
),
last_known AS (
    SELECT
        wanted.series,
        closes.*,
        max(newest.date) OVER (PARTITION BY wanted.series ORDER BY closes.session ROWS UNBOUNDED PRECEDING) AS date
    FROM closes
    CROSS JOIN (SELECT DISTINCT series FROM carried) AS wanted
    LEFT JOIN newest ON newest.series = wanted.series AND newest.session = closes.session
)
SELECT prices.series, prices.date, prices.value, prices.date AS dated, prices.known_at
FROM adjusted_closes AS prices
JOIN closes ON closes.session = prices.date AND prices.known_at <= closes.close_at
WHERE prices.series NOT IN (FROM every_day)
UNION ALL
SELECT carried.series, last_known.session AS date, carried.value, carried.date AS dated, carried.known_at
FROM last_known
JOIN carried USING (series, date)
WHERE carried.known_at >= CASE carried.carry
    WHEN 'none' THEN last_known.day_begin
    WHEN 'week' THEN last_known.week_begin
    WHEN 'month' THEN last_known.close_at - INTERVAL 35 DAY
    WHEN 'seven_days' THEN last_known.close_at - INTERVAL 7 DAY
END
UNION ALL
SELECT NULL, session, NULL, NULL, NULL FROM closes;
