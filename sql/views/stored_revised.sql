-- The files of a table that share a key with another, as seen by the connection's moment. Of rows with one key that were
-- seen at one moment the later file counts, and in one file the later row.
CREATE VIEW stored.{view} AS
SELECT *, file_index, file_row_number
FROM read_parquet([$files], union_by_name => $several_schemas, hive_partitioning => false)
WHERE seen_at <= $as_of::TIMESTAMPTZ;
