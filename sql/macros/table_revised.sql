-- A table all of whose files share a key with another: the latest row of each key among those seen by a moment.
CREATE MACRO {macro}(seen_until) AS TABLE
SELECT * EXCLUDE (file_index, file_row_number)
FROM stored.{revised}(seen_until)
QUALIFY row_number() OVER (
    PARTITION BY {key} ORDER BY seen_at DESC, file_index DESC, file_row_number DESC
) = 1
ORDER BY {key};
