-- The latest row of each symbol and day among the rows seen by a moment. Files that share no key with another file
-- (stored.prices_once) are read as they are; only the others pay for finding the latest.
CREATE MACRO prices_as_of(moment) AS TABLE
SELECT symbol, date, open, high, low, close, volume, basis, known_at, seen_at, source
FROM stored.prices_once
WHERE seen_at <= moment::TIMESTAMPTZ
UNION ALL
(
    SELECT symbol, date, open, high, low, close, volume, basis, known_at, seen_at, source
    FROM stored.prices_revised
    WHERE seen_at <= moment::TIMESTAMPTZ
    QUALIFY row_number() OVER (
        PARTITION BY symbol, date ORDER BY seen_at DESC, file_order DESC, row_order DESC
    ) = 1
    ORDER BY symbol, date
);
