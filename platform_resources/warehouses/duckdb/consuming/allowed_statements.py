"""What a consumer's SELECT may name: the offered tables and functions on them, never what tells of the server, its files or settings."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from platform_resources.warehouses.engine_errors import QueryFailed

# Functions that give rows from their arguments alone. Any other in the place of a table reads files, settings, or runs text as SQL.
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree"})
# Settings hold the paths that may be read, and plans the files of views.
_FORBIDDEN = frozenset({"current_setting", "json_serialize_plan", "getenv", "query", "query_table", "current_query"})
_SYSTEM = ("duckdb_", "pragma_", "sqlite_", "pg_", "__")
_SHOWN = frozenset({'"tables"', '"databases"', '"schemas"'})
_WHAT = "is nothing that a consumer may read"


def check_names(connection: duckdb.DuckDBPyConnection, sql: str, offered: Mapping[str, Mapping[str, str]]) -> None:
    """Take the statement apart as DuckDB itself does. Raises QueryFailed at the first name that is not offered."""
    ((text,),) = connection.execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()
    tree = json.loads(text)
    if tree.get("error"):
        raise QueryFailed(f"this statement cannot be taken apart: {tree.get('error_message', 'unknown')}")
    tables = {(schema.lower(), name.lower()) for schema, views in offered.items() for name in views}
    nodes = list(_nodes(tree))
    commons = {entry["key"].lower() for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    for node in nodes:
        match node.get("type"):
            case "BASE_TABLE":
                _check_table(node, tables, commons)
            case "TABLE_FUNCTION" if (name := _function(node.get("function"))) not in _TABLE_FUNCTIONS:
                raise QueryFailed(f"{name}() {_WHAT}; in the place of a table there may be: {', '.join(sorted(_TABLE_FUNCTIONS))}")
            case "SHOW_REF" if node.get("show_type") == "SHOW_SPECIAL" and node.get("table_name") not in _SHOWN:
                raise QueryFailed(f"SHOW {node.get('table_name')} {_WHAT}")
        if node.get("class") == "FUNCTION" and (name := _function(node)) and (name in _FORBIDDEN or name.startswith(_SYSTEM[:2])):
            raise QueryFailed(f"{name}() {_WHAT}")


def _check_table(node: Mapping[str, Any], tables: set[tuple[str, str]], commons: set[str]) -> None:
    catalog, schema, name = (str(node.get(part) or "").lower() for part in ("catalog_name", "schema_name", "table_name"))
    if catalog in ("", "memory") and (schema or "main", name) in tables:
        return
    if catalog or schema or name not in commons or name.startswith(_SYSTEM):
        raise QueryFailed(f"{'.'.join(filter(None, (catalog, schema, name)))} {_WHAT}")


def _function(node: Any) -> str:
    return str(node.get("function_name", "")).lower() if isinstance(node, dict) else ""


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Everything in the tree, without calls in calls: others write how deep it is."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
