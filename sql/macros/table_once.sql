-- A table whose files share no key: every row seen by a moment.
CREATE MACRO {macro}(moment) AS TABLE
FROM stored.{once}(moment);
