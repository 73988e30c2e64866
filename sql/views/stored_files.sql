-- Every row of some of a table's files that was seen by the connection's moment. Of rows seen at one moment the later
-- file wins, and in one file the later row.
CREATE VIEW stored.{view} AS
SELECT *, file_index AS file_order, file_row_number AS row_order
FROM read_parquet([$files], union_by_name => $several_schemas, hive_partitioning => false)
WHERE seen_at <= $as_of::TIMESTAMPTZ;
