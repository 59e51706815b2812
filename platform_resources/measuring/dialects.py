"""Translate SQL from DuckDB's dialect into the dialect of another warehouse."""

import re
from collections.abc import Callable
from typing import Any, Literal

Dialect = Literal["duckdb", "snowflake"]
_DASHES = (r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5")
_ANY_CASE = "(?i)"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class Untranslatable(Exception):
    """Raised for SQL that cannot be read, or that has no equal in the other dialect; says what."""


def translated(sql: str, dialect: Dialect, variable: Callable[[str], str] | None = None) -> str:
    """The statement in the warehouse's dialect. Raises Untranslatable. sqlglot is imported here, because reading plans must stay fast.

    `variable` gives the SQL that stands there for a variable of the connection.
    """
    if dialect == "duckdb":
        return sql
    from sqlglot import ErrorLevel, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, read="duckdb").transform(_snowflake_node)
        for node in reversed(list(tree.walk())):  # parts before the whole
            if (other := _snowflake_part(node, variable)) is not None:
                tree = other if node is tree else tree
                node.replace(other)
        return str(tree.sql(dialect=dialect, pretty=True, unsupported_level=ErrorLevel.RAISE))
    except SqlglotError as error:
        raise Untranslatable(f"{str(error).strip().splitlines()[0]} in: {sql}") from error


def _snowflake_node(node: Any) -> Any:
    """What sqlglot leaves as it is though Snowflake names it otherwise.

    The time in UTC without a zone. Names that need no quotes are in capitals: so dbt's models and tables, whose names are written without,
    are called there, and a quoted name must match exactly. Parts of what is given instead of a node are not looked at any more.
    """
    from sqlglot import exp

    if isinstance(node, exp.AtTimeZone) and _is_now(node.this):
        in_zone = exp.func("CONVERT_TIMEZONE", node.args["zone"].copy(), exp.CurrentTimestamp(), dialect="snowflake")
        return exp.cast(in_zone, exp.DataType.Type.TIMESTAMPNTZ)
    if _is_now(node):
        return exp.CurrentTimestamp()
    if isinstance(node, exp.Identifier) and node.args.get("quoted") and _PLAIN.fullmatch(node.name):
        return exp.to_identifier(node.name.upper(), quoted=True)
    return node


def _snowflake_part(node: Any, variable: Callable[[str], str] | None) -> Any:
    """What stands there for a part that is written in another way, whose own parts are translated already; None where it stays.

    Bytes of a text, variables, whole numbers that are wider than any there, hexadecimal digits as a number, and UUIDs, which are texts. A
    match of the whole text is what REGEXP_LIKE does there, which takes capitals as small letters by an argument. Samples are never biased.
    """
    from sqlglot import exp

    kinds = exp.DataType.Type
    if isinstance(node, exp.Encode):
        return exp.Anonymous(this="TO_BINARY", expressions=[node.this.copy(), exp.Literal.string("UTF-8")])
    if variable is not None and _function(node) == "getvariable":
        return exp.Var(this=variable(next(iter(node.find_all(exp.Literal))).this))
    if _function(node) == "regexp_full_match":
        text, pattern = node.expressions or (node.this, node.args["expression"])
        if _ANY_CASE in pattern.name:
            return exp.Anonymous(
                this="REGEXP_LIKE", expressions=[text, *map(exp.Literal.string, (pattern.name.replace(_ANY_CASE, ""), "i"))]
            )
        return exp.Anonymous(this="REGEXP_LIKE", expressions=[text, pattern])
    if isinstance(node, exp.TableSample):
        node.set("method", None)
    if isinstance(node, exp.DataType) and node.this in (kinds.INT128, kinds.UINT128):
        return exp.DataType.build("decimal(38, 0)", dialect="snowflake")
    if not isinstance(node, exp.Cast):
        return None
    if isinstance(node.this, exp.DPipe) and node.this.this.name == "0x":
        digits = node.this.expression
        form = exp.Literal.string("X" * int(digits.args["length"].name))
        return exp.cast(exp.Anonymous(this="TO_NUMBER", expressions=[digits.copy(), form]), node.to.copy())
    if node.to.this == kinds.UUID:
        text = node.this.copy()
        if isinstance(text, exp.Substring):
            text = exp.Anonymous(this="REGEXP_REPLACE", expressions=[text, *map(exp.Literal.string, _DASHES)])
        return exp.cast(text, "varchar")
    return None


def _function(node: Any) -> str:
    """The name of a function, known to the parser or not; empty for anything else."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return str(node.sql_name()).lower() if isinstance(node, exp.Func) else ""


def _is_now(node: Any) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.CurrentTimestamp) or _function(node) == "now"
