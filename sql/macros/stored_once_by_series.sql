-- The same of a table whose files lie in a folder a series. The series is read from the folder's name, so that a question
-- for some of them opens no file of another.
CREATE MACRO stored.{macro}(seen_until) AS TABLE
SELECT decode(unhex(series)) AS {series}, {columns}
FROM read_parquet(
    getvariable($files),
    union_by_name => $several_schemas, hive_partitioning => true, hive_types => {'series': VARCHAR}
)
WHERE seen_at <= $as_of::TIMESTAMPTZ AND seen_at <= seen_until::TIMESTAMPTZ;
