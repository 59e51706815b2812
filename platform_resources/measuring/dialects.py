"""Translate SQL from DuckDB's dialect into the dialect of another warehouse."""

import re
from typing import Any, Literal

Dialect = Literal["duckdb", "snowflake"]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class Untranslatable(Exception):
    """Raised for SQL that cannot be read, or that has no equal in the other dialect; says what."""


def translated(sql: str, dialect: Dialect) -> str:
    """The statement in the warehouse's dialect. Raises Untranslatable. sqlglot is imported here, because reading plans must stay fast."""
    if dialect == "duckdb":
        return sql
    from sqlglot import ErrorLevel, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, read="duckdb").transform(_snowflake_node)
        return str(tree.sql(dialect=dialect, pretty=True, unsupported_level=ErrorLevel.RAISE))
    except SqlglotError as error:
        raise Untranslatable(f"{str(error).strip().splitlines()[0]} in: {sql}") from error


def _snowflake_node(node: Any) -> Any:
    """What sqlglot leaves as it is though Snowflake names it otherwise.

    The time in UTC without a zone; a match of the whole text, which is what REGEXP_LIKE does there. Names that need no quotes are in
    capitals: so dbt's models and tables, whose names are written without, are called there, and a quoted name must match exactly.
    """
    from sqlglot import exp

    if isinstance(node, exp.AtTimeZone) and _is_now(node.this):
        in_zone = exp.func("CONVERT_TIMEZONE", node.args["zone"].copy(), exp.CurrentTimestamp(), dialect="snowflake")
        return exp.cast(in_zone, exp.DataType.Type.TIMESTAMPNTZ)
    if _is_now(node):
        return exp.CurrentTimestamp()
    if isinstance(node, exp.Identifier) and node.args.get("quoted") and _PLAIN.fullmatch(node.name):
        return exp.to_identifier(node.name.upper(), quoted=True)
    if _function(node) == "regexp_full_match":
        return exp.Anonymous(this="REGEXP_LIKE", expressions=node.expressions or [node.this, node.args["expression"]])
    return node


def _function(node: Any) -> str:
    """The name of a function, known to the parser or not; empty for anything else."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return str(node.sql_name()).lower() if isinstance(node, exp.Func) else ""


def _is_now(node: Any) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.CurrentTimestamp) or _function(node) == "now"
