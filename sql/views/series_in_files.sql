-- The names in files that hold more series than the manifest lists.
SELECT DISTINCT {column} AS name FROM read_parquet([$files], union_by_name => true, hive_partitioning => false);
