-- A table whose files share no key: every row seen by a moment.
CREATE MACRO {macro}(seen_until) AS TABLE
FROM stored.{once}(seen_until);
