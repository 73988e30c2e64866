-- The files of a part of a table. They stand in a variable, because a macro that held thousands of names would be read and
-- bound again wherever it is used.
SET VARIABLE {files} = ?;
