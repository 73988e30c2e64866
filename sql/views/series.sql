-- What the store holds and by which rules it is aligned, one row a series in the order of the universe. A series that the
-- universe does not name has no unit and no rule by which it becomes known here: both stand in its rows.
CREATE TABLE series AS
SELECT unnest(
    from_json(
        $series,
        '[{"series": "VARCHAR", "kind": "VARCHAR", "title": "VARCHAR", "unit": "VARCHAR",
           "calendar": "VARCHAR", "known": "VARCHAR", "carry": "VARCHAR"}]'
    ),
    max_depth => 2
);
