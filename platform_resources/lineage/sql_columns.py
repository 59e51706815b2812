"""Which columns a model's columns are made from: its compiled SQL, held against the columns that the warehouse really has.

Imports sqlglot, so whoever only reads what is kept does not import this.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from platform_resources.lineage.column_uses import ColumnRef, Uses
from platform_resources.lineage.query_reading import QueryReader
from platform_resources.lineage.query_scope import QueryColumns, Scope, Source, Unresolvable
from platform_resources.spec.values.column_names import folded_column

# What a warehouse calls a column without a name depends on its version: here it is known by its position alone.
_UNNAMED = "column without a name "
_NAMED = (exp.Alias, exp.Aliases, exp.Column, exp.Star, exp.Dot, exp.Columns)


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table or view that a query may read: its schema, name and columns, and the `place` that it is known by."""

    place: str
    schema: str
    name: str
    columns: tuple[str, ...]


def model_columns(
    sql: str, dialect: str, catalog: str, tables: Collection[ReadTable], columns: Sequence[str], keeps_rows: bool = False
) -> QueryColumns:
    """What each of the model's `columns` is made from; its SQL may read these tables of one database. Raises Unresolvable.

    `keeps_rows`: its table has rows of earlier builds too, and so may have columns that its SQL no longer has.
    """
    query = _read(sql, dialect, catalog, tables)
    by_position = dict(zip(query.columns, map(folded_column, columns), strict=False))
    named = {by_position[name] if name.startswith(_UNNAMED) and name in by_position else name: uses for name, uses in query.columns.items()}
    there = {folded_column(column): column for column in columns}
    if not (set(named) <= set(there) if keeps_rows else set(named) == set(there)):
        differing = sorted(set(named) ^ set(there))
        raise Unresolvable(f"its SQL and its table differ in the columns {', '.join(differing)[:200]}")
    return QueryColumns({there[name]: uses for name, uses in named.items()}, query.rows)


def _read(sql: str, dialect: str, catalog: str, tables: Collection[ReadTable]) -> QueryColumns:
    try:
        statements = [statement for statement in parse(sql, dialect=dialect) if statement is not None]
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise Unresolvable("it is not one query")
        tree = _qualified(_with_names(statements[0]), dialect, catalog, tables)
        known = {(table.schema.casefold(), table.name.casefold()): _source(table) for table in tables}
        return QueryReader(catalog, known).query(tree, Scope())
    except Unresolvable:
        raise
    except Exception as error:  # sqlglot stumbles over what it does not know in many ways, and no refresh may fail for that
        raise Unresolvable(f"it cannot be followed: {' '.join(str(error).split())[:200] or type(error).__name__}") from error


def _source(table: ReadTable) -> Source:
    columns: dict[str, Uses] = {folded_column(column): {ColumnRef(table.place, column): "passed on"} for column in table.columns}
    return Source(columns)


def _with_names(tree: exp.Expr) -> exp.Expr:
    for select in tree.find_all(exp.Select):
        named = [
            column if isinstance(column, _NAMED) or column.alias else exp.alias_(column, f"{_UNNAMED}{position}", quoted=True)
            for position, column in enumerate(select.expressions)
        ]
        select.set("expressions", named)
    return tree


def _qualified(tree: exp.Expr, dialect: str, catalog: str, tables: Collection[ReadTable]) -> exp.Expr:
    """Each column with its table, and stars as the columns that they stand for."""
    schemas: dict[str, dict[str, dict[str, str]]] = {}
    for table in tables:
        schemas.setdefault(table.schema, {})[table.name] = dict.fromkeys(table.columns, "unknown")
    schema = MappingSchema({catalog: schemas}, dialect=dialect)
    return qualify(tree, dialect=dialect, catalog=catalog, db="main", schema=schema, quote_identifiers=False, identify=False)
