"""Turn a consumer's SELECT into one that reads published versions and nothing else, and write its values as every warehouse does."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from platform_resources.warehouses.engine_errors import NotSupported, QueryFailed
from platform_resources.warehouses.published_places import PublishedPort, Readable
from platform_resources.warehouses.snowflake.version_tables import port_rows

# Functions that tell of the account or its objects, act on it, lead to its files, or send what they are given elsewhere.
_BEYOND = (
    *("system$", "get_ddl", "get_presigned_url", "get_stage_location", "get_absolute_path", "get_relative_path", "get_object_references"),
    *("get_query_", "build_", "file_url", "last_query_id", "result_scan", "explain_json", "ai_"),
)


def published_statement(sql: str, readable: Readable) -> str:
    """The SELECT, in Snowflake's own SQL, over exactly the versions that it may read. Raises QueryFailed."""
    try:
        statements = [statement for statement in parse(sql, read="snowflake") if statement is not None]
    except SqlglotError as error:
        raise QueryFailed(str(error).strip()) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise QueryFailed("write one SELECT; published versions are read-only")
    tree = statements[0]
    for source in tree.find_all(exp.From, exp.Join, exp.Lateral):
        if isinstance(source, exp.Lateral) or not isinstance(source.this, exp.Table | exp.Subquery):
            raise QueryFailed(f"{source.sql(dialect='snowflake')} reads more than published versions")
    _check_functions(tree)
    commons = {common.alias_or_name.lower() for common in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if not table.db and not table.catalog and table.name.lower() in commons:
            continue
        table.replace(_rows_of(table, readable))
    return str(tree.sql(dialect="snowflake"))


def _check_functions(tree: Any) -> None:
    """Raises QueryFailed for a function of a schema, whatever it is made of, and for what reads more than its arguments."""
    for function in tree.find_all(exp.Func):
        name = (function.name if isinstance(function, exp.Anonymous) else function.sql_name()).lower()
        if isinstance(function.parent, exp.Dot) or name.startswith(_BEYOND):
            shown = function.parent if isinstance(function.parent, exp.Dot) else function
            raise QueryFailed(f"{shown.sql(dialect='snowflake')} is nothing that a consumer may call")


def _rows_of(table: Any, readable: Readable) -> Any:
    """The rows of the version, as a subquery of the same name."""
    schema, name = (table.db or "main").lower(), table.name.lower()
    port = readable.get(schema, {}).get(name) if isinstance(table.this, exp.Identifier) and not table.catalog else None
    others = {key: value for key, value in table.args.items() if value and key not in ("this", "db", "catalog", "alias", "joins", "sample")}
    if port is None or others:
        raise QueryFailed(f"{table.sql(dialect='snowflake')} is nothing that can be read")
    (rows,) = parse(_select(port), read="snowflake")
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    subquery = exp.Subquery(this=rows, alias=alias.copy())
    for clause in ("joins", "sample"):
        if table.args.get(clause):
            subquery.set(clause, table.args[clause])
    return subquery


def _select(port: PublishedPort) -> str:
    try:
        return port_rows(port)
    except NotSupported as error:
        raise QueryFailed(str(error)) from error


def for_python(value: Any) -> Any:
    """Times as texts, as other warehouses give them; everything else as it is."""
    return _text(value) if isinstance(value, date | time | timedelta) else value


def as_text(value: Any) -> str | None:
    """Every value as a text; none for null."""
    return None if value is None else _text(value)


_WORDS: Mapping[bool, str] = {True: "true", False: "false"}


def _text(value: Any) -> str:
    match value:
        case bool():
            return _WORDS[value]
        case datetime():
            second = value.replace(microsecond=0, tzinfo=None).isoformat(" ")
            fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
            return f"{second}{fraction}" + (_zone(value) if value.tzinfo is not None else "")
        case bytes() | bytearray():
            return value.hex()
        case _:
            return str(value)


def _zone(value: datetime) -> str:
    minutes = int((value.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}" + (f":{rest:02d}" if rest else "")
