"""What a SELECT reads, by DuckDB's own parser: tables, and the columns of an expression."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import duckdb


class UnparsedError(Exception):
    """Not one SELECT. The message is the parser's."""

    page = "build-failed"


def tables(select: str, default: str = "") -> frozenset[str]:
    """Each table that the SELECT names, as schema.table; one without a schema counts as default's, or not at all where there is none.

    Names that a WITH gives are no tables. Raises UnparsedError.
    """
    nodes = list(_nodes(_tree(select)))
    own = {entry["key"] for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    named = {(n["schema_name"] or default, n["table_name"]) for n in nodes if n.get("type") == "BASE_TABLE"}
    return frozenset(f"{db}.{name}" for db, name in named if db and not (db == default and name in own))


def columns(expression: str) -> list[str]:
    """The columns that the expression names, in its order. Raises UnparsedError."""
    found = (n for n in _nodes(_tree(f"select {expression}")) if n.get("type") == "COLUMN_REF")
    return [node["column_names"][-1] for node in found]


def rest() -> None:
    """Let go of the 8 MB that parsing takes; what is parsed after it takes them again."""
    _parser.cache_clear()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _tree(select: str) -> dict[str, Any]:
    row = _parser().cursor().execute("select json_serialize_sql($1)", [select]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True, "error_message": "nothing came back"}
    if tree["error"]:
        raise UnparsedError(tree["error_message"])
    return tree


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object of the tree, each before what it holds, in order. The trees of all models have a million parts."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            node = cast(dict[str, Any], part)
            yield node
            left += reversed(node.values())
        elif isinstance(part, list):
            left += reversed(cast(list[object], part))
