-- A part of a table that has no files.
CREATE VIEW stored.{view} AS
SELECT *, 0::UBIGINT AS file_order, 0::BIGINT AS row_order
FROM empty.{table};
