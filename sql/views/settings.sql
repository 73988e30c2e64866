-- Moments are shown in UTC, on every machine.
SET GLOBAL TimeZone = 'UTC';
