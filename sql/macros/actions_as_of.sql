-- The latest row of each symbol, ex-date and kind of action among the rows seen by a moment. Files that share no key with another file
-- (stored.actions_once) are read as they are; only the others pay for finding the latest.
CREATE MACRO actions_as_of(moment) AS TABLE
SELECT symbol, date, kind, value, known_at, seen_at, source
FROM stored.actions_once
WHERE seen_at <= moment::TIMESTAMPTZ
UNION ALL
(
    SELECT symbol, date, kind, value, known_at, seen_at, source
    FROM stored.actions_revised
    WHERE seen_at <= moment::TIMESTAMPTZ
    QUALIFY row_number() OVER (
        PARTITION BY symbol, date, kind ORDER BY seen_at DESC, file_order DESC, row_order DESC
    ) = 1
    ORDER BY symbol, date, kind
);
