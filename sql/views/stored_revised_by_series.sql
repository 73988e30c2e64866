-- The same of a table whose files lie in a folder a series.
CREATE VIEW stored.{view} AS
SELECT decode(unhex(series)) AS {series}, {columns}, file_index, file_row_number
FROM read_parquet(
    [$files], union_by_name => $several_schemas, hive_partitioning => true, hive_types => {'series': VARCHAR}
)
WHERE seen_at <= $as_of::TIMESTAMPTZ;
