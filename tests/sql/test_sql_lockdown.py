"""What may not be done with SQL: each attempt is refused with one sentence, and nothing is left behind."""

from io import BytesIO

import duckdb
import pytest

import sql
from sql.statements import literal
from tests.sql.small_store import add, macro_rows, new_store, price_rows


@pytest.fixture
def store(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}))
    add(store, "macro", macro_rows("DGS10", {"2024-07-01": 4.0}))
    (tmp_path / "other.csv").write_text("a\n1\n")
    return store


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


WRITES = [
    "COPY (SELECT 1) TO {new}",
    "COPY (SELECT 1) TO {held} (USE_TMP_FILE false)",
    "COPY prices TO {new} (FORMAT parquet)",
    "WITH x AS (COPY (SELECT 1) TO {new}) SELECT * FROM x",
    "WITH x AS (COPY (SELECT 1) TO {held} (USE_TMP_FILE false)) SELECT 1",
    "SELECT 1 UNION ALL (WITH x AS (COPY (SELECT 1) TO {new}) SELECT 2)",
    "SELECT (WITH x AS (COPY (SELECT 1) TO {new}) SELECT 2)",
    "FROM query('WITH x AS (COPY (SELECT 1) TO ' || {new_quoted} || ') SELECT 1')",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO {new}",
    "EXPLAIN ANALYZE WITH x AS (COPY (SELECT 1) TO {new}) SELECT * FROM x",
    "/* EXPLAIN */ EXPLAIN (FORMAT json) ANALYZE COPY (SELECT 1) TO {new}",
    "EXPLAIN/**/ANALYZE COPY (SELECT 1) TO {new}",
    "SELECT 1; COPY (SELECT 1) TO {new}",
    "SELECT 1;;/* ; */ COPY (SELECT 1) TO {new} --",
    "EXPORT DATABASE {new}",
    "ATTACH {new} AS other",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE OR REPLACE MACRO prices_as_of(moment) AS TABLE SELECT 1",
    "INSERT INTO series SELECT * FROM series",
    "WITH x AS (INSERT INTO series SELECT * FROM series RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM series RETURNING *) SELECT * FROM x",
    "UPDATE series SET carry = 'month'",
    "DELETE FROM series",
    "TRUNCATE series",
    "DROP VIEW prices",
    "ALTER TABLE series RENAME TO other",
    "MERGE INTO series USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
    "PREPARE x AS SELECT 1",
    "BEGIN TRANSACTION",
    "CHECKPOINT",
    "VACUUM",
]

SETTINGS = [
    "SET threads = 1",
    "SET GLOBAL enable_external_access = true",
    "SET lock_configuration = false",
    "SET allowed_directories = ['/']",
    "SET TimeZone = 'Asia/Tokyo'",
    "SET VARIABLE x = 1",
    "RESET threads",
    "USE memory",
    "PRAGMA enable_profiling",
    "PRAGMA threads = 4",
    "CALL enable_logging(storage = 'file', storage_path = {new})",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = {new})",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD {new}",
    "CREATE SECRET (TYPE s3)",
]

READS = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_csv({other})",
    "SELECT * FROM {other}",
    "SELECT * FROM read_text({manifest})",
    "SELECT * FROM read_parquet({root} || '/../*.parquet')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM query('SELECT * FROM read_csv(''/etc/passwd'')')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT getenv('HOME')",
    "SELECT * FROM local_frame",
]


def written(statement, store):
    held = str(next((store.root / "data" / "prices").iterdir()).resolve())
    new = str(store.root / "data" / "new.parquet")
    places = {
        "new": literal(new),
        "new_quoted": literal(literal(new)),
        "held": literal(held),
        "other": literal(str(store.root.parent / "other.csv")),
        "manifest": literal(str(store.manifest_path)),
        "copied": literal(str(store.root.parent / "copied.csv")),
        "root": literal(str(store.root)),
    }
    return statement.format(**places)


@pytest.mark.parametrize("statement", [*WRITES, *SETTINGS, *READS])
def test_it_is_refused_and_changes_nothing(store, statement):
    local_frame = {"a": [1]}
    before = contents(store.root.parent)
    with sql.connect(store) as connection:
        settings = connection.sql("SELECT name, value FROM duckdb_settings()").fetchall()
        views = connection.sql("SELECT view_name, sql FROM duckdb_views()").fetchall()
        with pytest.raises(sql.SqlError):
            sql.query(connection, written(statement, store))
        assert connection.sql("SELECT name, value FROM duckdb_settings()").fetchall() == settings
        assert connection.sql("SELECT view_name, sql FROM duckdb_views()").fetchall() == views
        assert connection.sql("FROM series").pl().height == 2
    assert contents(store.root.parent) == before
    assert local_frame


@pytest.mark.parametrize(
    "statement", ["COPY (SELECT 1) TO {new}", *SETTINGS[:5], *SETTINGS[8:10], *SETTINGS[12:15], *READS]
)
def test_the_connection_itself_refuses_too(store, statement):
    before = contents(store.root.parent)
    with sql.connect(store) as connection, pytest.raises(duckdb.Error):
        connection.execute(written(statement, store)).fetchall()
    assert contents(store.root.parent) == before


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("COPY (SELECT 1) TO 'x.csv'", "COPY is not allowed; only SELECT and the like may run here"),
        ("WITH x AS (COPY (SELECT 1) TO 'x') SELECT 1", "COPY inside a query is not allowed"),
        ("WITH x AS (DELETE FROM series RETURNING *) FROM x", "DELETE inside a query is not allowed"),
        ("CREATE TABLE x AS SELECT 1", "CREATE is not allowed"),
        ("EXPLAIN ANALYZE DROP VIEW prices", "EXPLAIN is for questions"),
        ("SELECT 1; SELECT 2", "the text holds 2 statements; give one"),
        (" -- nothing\n", "the text holds no statement"),
        ("PIVOT panel_long ON series USING any_value(value)", "this PIVOT does not name its columns"),
        ("FROM read_csv('/etc/passwd')", "SQL reads the store and nothing else; to reach other files"),
    ],
)
def test_the_sentence_says_what_and_what_to_do(store, statement, message):
    with pytest.raises(sql.SqlError, match=message):
        sql.query(store, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 AS one",
        "FROM prices",
        "TABLE prices",
        "VALUES (1)",
        "DESCRIBE prices",
        "SUMMARIZE prices",
        "SHOW TABLES",
        "EXPLAIN FROM prices",
        "EXPLAIN ANALYZE SELECT count(*) FROM panel",
        "-- the first\n/* and */ EXPLAIN SELECT 1;",
        "PIVOT panel_long ON series IN ('SPY', 'DGS10') USING any_value(value) GROUP BY date",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
        "SELECT * FROM prices AS a ASOF JOIN macro AS b ON a.date >= b.date",
        "SELECT symbol, list(close ORDER BY date) FROM prices GROUP BY ALL",
        "SELECT 'COPY x TO y; DROP VIEW prices' AS text;",
        "SELECT timezone('America/New_York', close_at) FROM sessions",
    ],
)
def test_a_question_is_answered(store, statement):
    assert sql.query(store, statement).height


def test_nothing_is_written_where_the_question_is_asked(store, tmp_path, monkeypatch):
    """A sort that does not fit in memory spills; a connection that may be configured can be given little memory."""
    asked_from, spills = tmp_path / "asked", tmp_path / "spills"
    asked_from.mkdir()
    spills.mkdir()
    monkeypatch.chdir(asked_from)
    monkeypatch.setattr("tempfile.tempdir", str(spills))
    text = "SELECT range AS a, hash(range) AS b, repeat('x', 40) || range AS c FROM range(600000) ORDER BY b, c"
    with sql.connect(store, allow_external=True) as connection:
        connection.execute("SET memory_limit = '40MB'; SET threads = 1")
        reader = sql.relation(connection, text).to_arrow_reader(1)
        reader.read_next_batch()
        assert list(spills.rglob("*"))
        assert not list(asked_from.iterdir())
        reader.close()
    assert not list(spills.rglob("*"))


def test_allowed_by_request(store, tmp_path):
    copied, answer = tmp_path / "copied.csv", BytesIO()
    text = written("COPY (SELECT * FROM read_csv({other})) TO {copied}; SELECT 5 AS five", store)
    assert sql.run(store, text, answer, form="csv", allow_external=True) == 1
    assert answer.getvalue() == b"five\n5\n"
    assert copied.read_text() == "a\n1\n"
