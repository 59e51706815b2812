"""What of a database's error may be told: its own words only where they cannot quote a value that not everybody may see."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import named_columns, relation_sql
from platform_resources.measuring.metrics import Metric
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import mask
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.protocol import ProductDatabase, QueryTooLarge, QueryTooSlow, StatementRefused

# The words for the error of a query that has only this metric.
Words = Callable[[Metric, Exception], str]
# Raised before a row is read, or for what has nothing to do with what is in the rows.
_WITHOUT_VALUES = (StatementRefused, QueryTooSlow, QueryTooLarge)
_KIND = re.compile(r"[A-Z][A-Za-z /]* Error(?=:)")
# All columns at once, and columns by their number.
_WHOLE_ROWS = re.compile(r"\bcolumns\s*\(|[(,.]\s*\*|#\d", re.IGNORECASE)
# Any other relation than those of which it is known what is in them, as in a team's subquery.
_KNOWN = " known_relation "
_ELSEWHERE = re.compile(r"((?<!distinct )\bfrom|\bjoin)\s+(?!\s|known_relation|\()|known_relation\s*,", re.IGNORECASE)
_LEFT_OUT = "what else the database says is left out, because it may quote a value"


def first_line(error: Exception) -> str:
    """Without what looks like a credential, as in the address of what was to be read."""
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
        """The hidden columns that the metric touches; None if that may be any, as with a `*` or a whole row."""
        sql = f"{metric.sql} {metric.source}"
        bare = sql.replace("count(*)", " ")
        for relation in self.hidden:
            bare = bare.replace(relation_sql(relation), _KNOWN)
        by_name = named_columns([relation.name for relation in self.hidden], [bare])
        read = [r for r in self.hidden if r == metric.relation or r.name in by_name or relation_sql(r) in sql]
        columns = [self.hidden[relation] for relation in read]
        hidden = tuple(dict.fromkeys(column for each in columns for column in each or ()))
        if metric.relation not in read or None in columns or _ELSEWHERE.search(bare) or (hidden and (by_name or _WHOLE_ROWS.search(bare))):
            return None
        return named_columns(hidden, [bare.replace('""', '"')])


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
