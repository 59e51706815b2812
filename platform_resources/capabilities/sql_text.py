"""How names and values are written in DuckDB's SQL."""

from collections.abc import Iterable

from platform_resources.capabilities.measures import Relation


def quoted(name: str) -> str:
    """The name as a quoted identifier, whatever it is: a reserved word, not ASCII, with quotes in it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: Iterable[str], prefix: str = "") -> str:
    """Quoted identifiers with commas between them; `prefix` is a table's alias with its dot."""
    return ", ".join(prefix + quoted(name) for name in names)


def relation_sql(relation: Relation) -> str:
    """The relation's name in SQL, quoted: `"internal"."customers"`."""
    return f"{quoted(relation.schema)}.{quoted(relation.name)}"


def literal(value: bool | float | str) -> str:
    """The value as SQL: numbers and booleans plain, text in quotes (dates too: DuckDB reads them as the column's type)."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def as_number(column: str) -> str:
    """The column as a binary number, so that whole numbers, decimals and infinities compare alike."""
    return f"cast({quoted(column)} as double)"


def finite(column: str) -> str:
    """The column as a binary number; null where it is infinite or no number. NaN is above every number to these databases."""
    return f"case when {as_number(column)} between -1.7976931348623157e308 and 1.7976931348623157e308 then {as_number(column)} end"


def enclosed(expression: str) -> str:
    """The expression in parentheses; a comment at its end cannot swallow the closing one."""
    return f"({expression}\n)" if "--" in expression else f"({expression})"
