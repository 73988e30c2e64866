-- The files of a table that hold each of their keys alone, as seen by the connection's moment and by another.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
SELECT *
FROM read_parquet(getvariable($files), union_by_name => $several_schemas, hive_partitioning => false)
WHERE seen_at <= $as_of::TIMESTAMPTZ AND seen_at <= seen_until::TIMESTAMPTZ;
