-- A table some of whose files share a key with another: only these pay for finding the latest row of each key.
CREATE MACRO {macro}(seen_until) AS TABLE
FROM stored.{once}(seen_until)
UNION ALL BY NAME
(
    SELECT * EXCLUDE (file_index, file_row_number)
    FROM stored.{revised}(seen_until)
    QUALIFY row_number() OVER (
        PARTITION BY {key} ORDER BY seen_at DESC, file_index DESC, file_row_number DESC
    ) = 1
    ORDER BY {key}
);
