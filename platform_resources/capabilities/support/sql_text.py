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
    """The relation in SQL: its name, quoted, as `"internal"."customers"`; a query where values of it stand for null."""
    name = f"{quoted(relation.schema)}.{quoted(relation.name)}"
    if not relation.missing:
        return name
    return f"(select * replace ({', '.join(_without(*column) for column in relation.missing)}) from {name})"


def _without(column: str, kind: str, missing: Iterable[str]) -> str:
    values = ", ".join(literal(value) if kind == "varchar" else f"cast({literal(value)} as {kind})" for value in missing)
    return f"case when {quoted(column)} in ({values}) then null else {quoted(column)} end as {quoted(column)}"


def literal(value: bool | float | str) -> str:
    """The value as SQL: numbers and booleans plain, text in quotes (dates too: DuckDB reads them as the column's type)."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def is_nan(column: str) -> str:
    """Whether the column holds NaN, which these databases hold to be equal to itself; not every one has a function for it."""
    return f"{quoted(column)} = cast('nan' as double)"


def as_number(column: str) -> str:
    """The column as a binary number, so that whole numbers, decimals and infinities compare alike."""
    return f"cast({quoted(column)} as double)"


def finite(column: str) -> str:
    """The column as a binary number; null where it is infinite or no number. NaN is above every number to these databases."""
    return f"case when {as_number(column)} between -1.7976931348623157e308 and 1.7976931348623157e308 then {as_number(column)} end"


def enclosed(expression: str) -> str:
    """The expression in parentheses; a comment at its end cannot swallow the closing one."""
    return f"({expression}\n)" if "--" in expression else f"({expression})"


def names_in(sql: str) -> tuple[tuple[str, ...], ...]:
    """The names in SQL, each with those before it that points join to it, as (schema, table, column); none where it is no SQL.

    A keyword is among them, since it may be a name too; values and comments are not. sqlglot is imported here, because reading
    definitions must stay fast.
    """
    from sqlglot import Dialect, TokenType
    from sqlglot.errors import SqlglotError

    dialect = Dialect.get_or_raise("duckdb")
    keywords = dialect.tokenizer_class.KEYWORDS
    try:
        tokens = dialect.tokenize(sql)
    except SqlglotError:
        return ()
    names: list[tuple[str, ...]] = []
    named = pointed = False
    for token in tokens:
        kind, joined = token.token_type, named and pointed
        pointed = kind == TokenType.DOT
        if kind in (TokenType.VAR, TokenType.IDENTIFIER) or (token.text.isidentifier() and keywords.get(token.text.upper()) == kind):
            names.append((*(names.pop() if joined else ()), token.text))
            named = True
        elif not pointed:
            named = False
    return tuple(names)
