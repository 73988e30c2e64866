-- What the store holds and by which rules it is aligned, one row a series in the order of the universe. A series that the
-- universe does not name has no unit and no rule by which it becomes known here: both stand in its rows.
CREATE TABLE series AS
SELECT
    unnest([$series]::VARCHAR[]) AS series,
    unnest([$kind]::VARCHAR[]) AS kind,
    unnest([$title]::VARCHAR[]) AS title,
    nullif(unnest([$unit]::VARCHAR[]), '') AS unit,
    unnest([$calendar]::VARCHAR[]) AS calendar,
    nullif(unnest([$known]::VARCHAR[]), '') AS known,
    unnest([$carry]::VARCHAR[]) AS carry;
