-- The files of a table that hold each of their keys alone, as seen by the connection's moment.
CREATE VIEW stored.{view} AS
SELECT *
FROM read_parquet([$files], union_by_name => $several_schemas, hive_partitioning => false)
WHERE seen_at <= $as_of::TIMESTAMPTZ;
