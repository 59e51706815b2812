"""Read DuckDB's statistics of a relation from a query plan, before any row is read."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import enclosed, relation_sql
from platform_resources.measuring.foreseeing import RuledOut
from platform_resources.warehouses.engine_errors import EngineError, QueryTooLarge, QueryTooSlow
from platform_resources.warehouses.protocol import Execute

# An operator of a plan: `name`, `extra_info`, and the operators before it as `children`.
Node = Mapping[str, Any]
# Of fewer rows everything is counted before it has been asked what need not be.
LARGE = 1_000_000


def ruled_out_by(execute: Execute) -> RuledOut:
    """Ask for plans through `execute`, which returns the first row of a statement. Of small relations nothing is asked, nothing known."""

    @cache
    def large(relation: Relation) -> bool:
        return any(rows >= LARGE for rows in _estimates(_plan(execute, f"select * from {relation_sql(relation)}")))

    def ruled_out(relation: Relation, condition: str) -> bool:
        counting = f"select count(*) from {relation_sql(relation)} where {enclosed(condition)}"
        try:
            return large(relation) and _costs_nothing(_plan(execute, counting))
        except (EngineError, QueryTooSlow, QueryTooLarge):  # it cannot be planned: counting says why, and of which measure
            return False

    return ruled_out


def _plan(execute: Execute, sql: str) -> Node:
    _, plan = execute(f"explain (format json) {sql}")
    (root,) = json.loads(plan)
    return dict(root)


def _costs_nothing(plan: Node) -> bool:
    """Nothing is read that rows are counted of, and what they are joined with is small."""
    return _is_empty(plan) and all(rows < LARGE for leaf in _leaves(plan) for rows in _estimates(leaf))


def _is_empty(node: Node) -> bool:
    """Whether there is nothing that rows are counted of. The first of an operator's inputs is what it looks things up for."""
    inputs = node["children"]
    if node["name"] == "UNION":
        return all(map(_is_empty, inputs))
    return node["name"] == "EMPTY_RESULT" or (bool(inputs) and _is_empty(inputs[0]))


def _leaves(node: Node) -> Iterator[Node]:
    if not node["children"]:
        yield node
    for child in node["children"]:
        yield from _leaves(child)


def _estimates(node: Node) -> Iterator[int]:
    """Of the rows that come out of an operator, and of all before it."""
    yield int(node["extra_info"].get("Estimated Cardinality", 0))
    for child in node["children"]:
        yield from _estimates(child)
