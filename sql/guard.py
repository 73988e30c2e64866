"""Which statements may run on a locked connection: one question at a time, and nothing that writes or configures."""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection, Statement, StatementType

from sql.errors import SqlError
from sql.explain import explained

__all__ = ["question", "tables_named"]

_READING = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s*\([^)]*\))?(\s*ANALYZE\b)?(\s*\([^)]*\))?", re.IGNORECASE)
_ALLOWED = "only SELECT and the like may run here; to write files or change settings, ask for it with --allow-external"


def question(connection: DuckDBPyConnection, text: str) -> Statement:
    """Return the one statement of `text`, having made sure that it only reads.

    A statement's type does not say that much: a SELECT may hold a COPY or an INSERT in its WITH clause, and an EXPLAIN
    ANALYZE runs what it explains. The parsed tree is searched for anything but reading.

    Raises
    ------
    SqlError
        If the text cannot be parsed, holds no statement or several, or the statement does more than read.
    """
    statements = _parsed(connection, text)
    if len(statements) != 1:
        what = f"{len(statements)} statements; give one" if statements else "no statement"
        msg = f"the text holds {what}"
        raise SqlError(msg)
    statement = statements[0]
    asked = statement.query
    if statement.type == StatementType.EXPLAIN:
        asked = _EXPLAIN.sub("", _without_comments_before(asked), count=1)
        inner = _parsed(connection, asked)
        if len(inner) != 1 or inner[0].type != StatementType.SELECT:
            msg = f"EXPLAIN is for questions; {_ALLOWED}"
            raise SqlError(msg)
    elif statement.type == StatementType.MULTI:
        msg = "this PIVOT does not name its columns; name them: PIVOT … ON series IN ('SPY', 'HYG')"
        raise SqlError(msg)
    elif statement.type != StatementType.SELECT:
        msg = f"{statement.type.name.replace('_', ' ')} is not allowed; {_ALLOWED}"
        raise SqlError(msg)
    for node in _nodes(_tree(connection, asked)):
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READING:
            msg = f"{kind.removesuffix('_NODE').removesuffix('_QUERY')} inside a query is not allowed; {_ALLOWED}"
            raise SqlError(msg)
    return statement


def tables_named(connection: DuckDBPyConnection, text: str) -> list[str]:
    """Return the tables, views and table macros that a query names, in order; none if it cannot be parsed."""
    try:
        nodes = list(_nodes(_tree(connection, text)))
    except SqlError:
        return []
    names = [str(node["table_name"]) for node in nodes if node.get("type") == "BASE_TABLE"]
    calls = [node["function"] for node in nodes if node.get("type") == "TABLE_FUNCTION"]
    return list(dict.fromkeys([*names, *(str(call.get("function_name")) for call in calls)]))


def _parsed(connection: DuckDBPyConnection, text: str) -> list[Statement]:
    try:
        return connection.extract_statements(text)
    except duckdb.Error as error:
        raise SqlError(explained(str(error))) from error


def _without_comments_before(text: str) -> str:
    return re.sub(r"\A(\s+|--[^\n]*\n|/\*.*?\*/)+", "", text, flags=re.DOTALL)


def _tree(connection: DuckDBPyConnection, text: str) -> object:
    """Return the parsed query as JSON; what DuckDB cannot write down so is not taken for a question."""
    try:
        rows = connection.execute("SELECT json_serialize_sql($text::VARCHAR)", {"text": text}).fetchall()
        tree: dict[str, Any] = json.loads(rows[0][0])
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    except RecursionError as error:
        msg = "the query is nested too deeply; write its parts in a WITH clause"
        raise SqlError(msg) from error
    if tree["error"]:
        msg = f"{tree['error_message']}; {_ALLOWED}"
        raise SqlError(msg)
    return tree


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON tree."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
