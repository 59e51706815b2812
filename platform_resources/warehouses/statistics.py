"""What DuckDB's statistics say before a row is read, as its own plan of a query tells it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.sql_text import enclosed, relation_sql
from platform_resources.planning.foreseeing import RuledOut
from platform_resources.warehouses.duckdb import QueryTooLarge, QueryTooSlow

Execute = Callable[[str], Sequence[Any]]
# Of fewer rows everything is counted before it has been asked what need not be.
LARGE = 1_000_000


def ruled_out_by(execute: Execute) -> RuledOut:
    """Ask for plans through `execute`, which returns the first row of a statement. Of small relations nothing is asked, nothing known."""

    @cache
    def large(relation: Relation) -> bool:
        return any(rows >= LARGE for rows in _estimates(_plan(execute, f"select * from {relation_sql(relation)}")))

    def ruled_out(relation: Relation, condition: str) -> bool:
        try:
            return large(relation) and _is_empty(
                _plan(execute, f"select count(*) from {relation_sql(relation)} where {enclosed(condition)}")
            )
        except (duckdb.Error, QueryTooSlow, QueryTooLarge):  # it cannot be planned: counting says why, and of which measure
            return False

    return ruled_out


def _plan(execute: Execute, sql: str) -> Mapping[str, Any]:
    _, plan = execute(f"explain (format json) {sql}")
    (root,) = json.loads(plan)
    return dict(root)


def _is_empty(node: Mapping[str, Any]) -> bool:
    """Whether nothing that rows are counted of is read. What a join looks up is read all the same; it is a part of any count."""
    children = node["children"]
    if node["name"] == "UNION":
        return all(map(_is_empty, children))
    return node["name"] == "EMPTY_RESULT" or (bool(children) and _is_empty(children[0]))


def _estimates(node: Mapping[str, Any]) -> Iterator[int]:
    yield int(node["extra_info"].get("Estimated Cardinality", 0))
    for child in node["children"]:
        yield from _estimates(child)
