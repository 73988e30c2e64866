-- The files of a table that share a key with another, as seen by the connection's moment and by another. Of rows with one
-- key that were seen at one moment the later file counts, and in one file the later row.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
SELECT *, file_index, file_row_number
FROM read_parquet(getvariable($files), union_by_name => $several_schemas, hive_partitioning => false)
WHERE seen_at <= $as_of::TIMESTAMPTZ AND seen_at <= seen_until::TIMESTAMPTZ;
