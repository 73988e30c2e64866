-- Prices as a total-return index that starts at the first close and grows forward, as seen by a moment. Each dividend
-- multiplies what follows its ex-date by close / (close - dividend), of the last close before it. The product is taken
-- from left to right in the order of the ex-dates, so that new rows never change an old value, not by its last bit.
CREATE MACRO adjusted_as_of(seen_until) AS TABLE
-- Prices and dividends on one line of time; on its ex-date a dividend stands before the bar.
WITH timeline AS MATERIALIZED (
    SELECT
        *,
        count(dividend) OVER so_far AS dividends_so_far,
        last_value(close IGNORE NULLS) OVER so_far AS last_close
    FROM (
        SELECT symbol, date, open, high, low, close, volume, basis, known_at, source, NULL::DOUBLE AS dividend
        FROM prices_as_of(seen_until)
        UNION ALL
        SELECT symbol, date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, value
        FROM actions_as_of(seen_until)
        WHERE kind = 'dividend'
    )
    WINDOW so_far AS (PARTITION BY symbol ORDER BY date, dividend NULLS LAST ROWS UNBOUNDED PRECEDING)
),
-- A dividend before the first close changes nothing.
ratios AS (
    SELECT
        symbol,
        date,
        CASE
            WHEN last_close IS NULL THEN 1.0
            WHEN dividend < last_close THEN last_close / (last_close - dividend)
            ELSE error(format(
                'the dividend of {} on {} for {} is not below the close before it, {}; correct it with a new import',
                dividend, date, symbol, last_close
            ))
        END AS ratio
    FROM timeline
    WHERE dividend IS NOT NULL
),
products AS (
    SELECT
        symbol,
        list_reduce(
            list([ratio] ORDER BY date),
            lambda product, ratio: list_append(product, product[-1] * ratio[1])
        ) AS factors
    FROM ratios
    GROUP BY symbol
),
factors AS (
    SELECT symbol, unnest(factors) AS factor, generate_subscripts(factors, 1) AS dividends_so_far FROM products
)
SELECT
    timeline.symbol,
    date,
    open * coalesce(factor, 1.0) AS open,
    high * coalesce(factor, 1.0) AS high,
    low * coalesce(factor, 1.0) AS low,
    close * coalesce(factor, 1.0) AS close,
    volume,
    coalesce(factor, 1.0) AS factor,
    basis,
    known_at,
    source
FROM timeline
LEFT JOIN factors
    ON factors.symbol = timeline.symbol
    AND factors.dividends_so_far = timeline.dividends_so_far
    AND timeline.basis = 'split_adjusted'
WHERE dividend IS NULL
ORDER BY timeline.symbol, date;
