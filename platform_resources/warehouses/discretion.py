"""What may be shown of a database's error: its own words only where they cannot quote a hidden value."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import relation_sql
from platform_resources.measuring.metrics import Metric
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import mask
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import QueryTooLarge, QueryTooSlow, StatementRefused
from platform_resources.warehouses.protocol import ProductDatabase

# The words for the error of a query that has only this metric.
Words = Callable[[Metric, Exception], str]
# Raised before a row is read, or for what has nothing to do with what is in the rows.
_WITHOUT_VALUES = (StatementRefused, QueryTooSlow, QueryTooLarge)
_KIND = re.compile(r"[A-Z][A-Za-z /]* Error(?=:)")
_LEFT_OUT = "what else the database says is left out, because it may quote a value"


def first_line(error: Exception) -> str:
    """The first line, without what looks like a credential, as in an address."""
    return mask((str(error).strip().splitlines() or [type(error).__name__])[0])


def in_full(metric: Metric, error: Exception) -> str:
    """The database's own words, for data of which nothing is to be kept back."""
    return first_line(error)


@dataclass(frozen=True, slots=True)
class Discretion:
    """The columns of each relation whose values not everybody may see; None for one of which nothing is known, or that is computed."""

    hidden: Mapping[Relation, tuple[str, ...] | None]

    def words(self, metric: Metric, error: Exception) -> str:
        """The error in one line, without what it may quote."""
        text = first_line(error)
        named = self._named(metric)
        if isinstance(error, _WITHOUT_VALUES) or named == ():
            return text
        kind = _KIND.match(text)
        about = f" about {' or '.join(named)}" if named else ""
        return f"{kind.group() if kind else type(error).__name__}{about}; {_LEFT_OUT}"

    def _named(self, metric: Metric) -> tuple[str, ...] | None:
        """The hidden columns that the metric touches; None if that may be any, as with a `*`, a whole row or SQL that cannot be read."""
        query = _query(self._statement(metric))
        columns = {_place(relation.schema, relation.name): names for relation, names in self.hidden.items()}
        if query is None or metric.relation not in self.hidden:
            return None
        read = [columns.get(place) for place in query.tables]
        hidden = tuple(dict.fromkeys(name for names in read for name in names or ()))
        if None in read or (hidden and query.whole_rows):
            return None
        return tuple(name for name in hidden if name.casefold() in query.names)

    def _statement(self, metric: Metric) -> str:
        """The query, in which a relation is its name: how values that stand for null are left out names no further column."""
        source = f"({metric.source}) as made" if metric.source else relation_sql(metric.relation)
        sql = metric.sql if metric.alone else f"select {metric.sql} from {source}"
        for relation in self.hidden:
            sql = sql.replace(relation_sql(relation), relation_sql(replace(relation, missing=())))
        return sql


@dataclass(frozen=True, slots=True)
class _Query:
    """What a query reads: its tables in the database, all names in it, and whether it takes columns without naming them."""

    tables: tuple[tuple[str, str], ...]
    names: frozenset[str]
    whole_rows: bool


def _place(schema: str, name: str) -> tuple[str, str]:
    return schema.casefold(), name.casefold()


def _query(sql: str) -> _Query | None:
    """None of SQL that sqlglot cannot read as one query of tables. It is imported here, because only errors need it."""
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        trees = parse(sql, read="duckdb")
    except SqlglotError:
        return None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return None
    (tree,) = trees
    made = {_place("", common.alias) for common in tree.find_all(exp.CTE)}
    tables = [_place(table.db, table.name) if isinstance(table.this, exp.Identifier) else ("", "") for table in tree.find_all(exp.Table)]
    names = frozenset(identifier.name.casefold() for identifier in tree.find_all(exp.Identifier))
    return _Query(tuple(place for place in tables if place not in made), names, _takes_whole_rows(tree, exp))


def _takes_whole_rows(tree: Any, exp: Any) -> bool:
    """By a star, by a table's name where a value is expected, by columns' numbers, or by joining all columns of one name."""
    stars = (star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count))
    unnamed = tree.find(exp.Columns, exp.PositionalColumn, exp.Pivot)
    sources = {name.casefold() for source in tree.find_all(exp.Table, exp.Subquery, exp.CTE) for name in (source.name, source.alias)}
    rows = (column for column in tree.find_all(exp.Column) if not column.table and column.name.casefold() in sources)
    natural = (join for join in tree.find_all(exp.Join) if join.method == "NATURAL")
    return unnamed is not None or any(True for nodes in (stars, rows, natural) for _ in nodes)


def discretion(database: ProductDatabase, product: ProductPlan) -> Discretion:
    """What is to be kept back of the product's data sets and inputs. What a view computes may come from columns that it does not show."""
    relations = dict(_declared(product))
    return Discretion({relation: _hidden(database, relation, columns) for relation, columns in relations.items()})


def _declared(product: ProductPlan) -> Iterator[tuple[Relation, tuple[Column, ...]]]:
    yield from ((data_set.measured, data_set.spec.columns) for data_set in product.data_sets)
    yield from ((Relation("inputs", port.name), port.upstream.columns if port.upstream else ()) for port in product.inputs)


def _hidden(database: ProductDatabase, relation: Relation, declared: Iterable[Column]) -> tuple[str, ...] | None:
    if not database.is_table(relation):
        return None
    shown = {folded_column(column.name) for column in declared if column.shown}
    return tuple(name for name in database.columns(relation) if folded_column(name) not in shown)
