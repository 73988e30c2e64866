-- The latest row of each series and day among the rows seen by a moment. Files that share no key with another file
-- (stored.macro_once) are read as they are; only the others pay for finding the latest.
CREATE MACRO macro_as_of(moment) AS TABLE
SELECT series, date, value, unit, known_at, seen_at, source
FROM stored.macro_once
WHERE seen_at <= moment::TIMESTAMPTZ
UNION ALL
(
    SELECT series, date, value, unit, known_at, seen_at, source
    FROM stored.macro_revised
    WHERE seen_at <= moment::TIMESTAMPTZ
    QUALIFY row_number() OVER (
        PARTITION BY series, date ORDER BY seen_at DESC, file_order DESC, row_order DESC
    ) = 1
    ORDER BY series, date
);
