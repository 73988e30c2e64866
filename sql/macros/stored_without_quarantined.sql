-- The stored rows that were seen by a moment, without those versions that the quarantine held then.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
SELECT rows.*
FROM stored.{all}(seen_until) AS rows
ANTI JOIN (
    SELECT unnest(from_json("row", $version))
    FROM quarantine_as_of(seen_until)
    WHERE table_name = $table AND status = 'held' AND contains("row", '"seen_at":"')
) AS held
USING ({columns});
