-- What the tables are read from.
CREATE SCHEMA stored;
