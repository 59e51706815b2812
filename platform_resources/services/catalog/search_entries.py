"""The searchable texts of a product, each with its place in the product."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from platform_resources.capabilities.support.sql_text import names_in
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.spec.components import Column

# Words of SQL that are also words of people.
_SQL_WORDS = """
all and any as asc between by case cast count desc distinct else end exists extract false filter from full group having
in inner interval is join left like limit max min not null nulls on or order outer over partition right round select set
sum then true union using values when where with avg
"""
_NO_NAMES = frozenset(_SQL_WORDS.split())
PartKind = Literal["data set", "column", "query", "port", "promise", "consumer"]


@dataclass(frozen=True, slots=True)
class ProductPart:
    """A searchable part of a product, such as a column or query; `data_set` is empty if it belongs to none.

    `words` are further words that it is found by, such as an identifier, a unit, or the names in a query.
    """

    kind: PartKind
    product: str
    data_set: str
    name: str
    title: str
    about: str
    words: str = ""

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """The part's fields with their texts."""
        return ("name", self.name), ("title", self.title), ("about", self.about), ("words", self.words)


def own_texts(product: ProductPlan) -> tuple[tuple[str, str], ...]:
    """The product's own fields with their texts, without its parts."""
    info = product.info
    about = " ".join(filter(None, (info.description, info.purpose, *product.terms.values())))
    tags = " ".join(dict.fromkeys((product.domain, *_tags(product))))
    return ("name", product.name), ("title", product.title), ("tags", tags), ("about", about), ("owners", " ".join(product.owners))


def _tags(product: ProductPlan) -> tuple[str, ...]:
    """Tags and identifiers, of the product and of its columns."""
    columns = [column for data_set in product.data_sets for column in data_set.spec.columns]
    identifiers = (column.identifier for column in columns if column.identifier)
    return (*product.info.tags, *identifiers, *(tag for column in columns for tag in column.tags))


def parts(product: ProductPlan) -> Iterator[ProductPart]:
    """All searchable parts of the product."""
    for data_set in product.data_sets:
        yield ProductPart("data set", product.name, data_set.name, data_set.name, data_set.title, data_set.spec.description)
        yield from _columns(product.name, data_set)
    data_sets = {port.name: port.data_set for port in product.outputs}
    for query in product.sample_queries:
        names = _named_in(query.sql)
        yield ProductPart("query", product.name, data_sets.get(query.port, ""), query.name, query.title, query.description, names)
    for port in product.outputs:
        yield ProductPart("port", product.name, port.data_set, port.name, port.title, port.description, port.interface)
    for objective in product.objectives:
        check = objective.check
        yield ProductPart("promise", product.name, objective.data_set, check.name, check.title, check.description, objective.dimension)
    for consumer in product.consumers:
        words = " ".join(filter(None, (consumer.kind, consumer.owner)))
        yield ProductPart("consumer", product.name, "", consumer.name, consumer.title, consumer.description, words)


def _columns(product: str, data_set: DataSetPlan) -> Iterator[ProductPart]:
    for column in data_set.spec.columns:
        yield ProductPart("column", product, data_set.name, column.name, "", column.description, _words(column))


def _words(column: Column) -> str:
    return " ".join(filter(None, (column.identifier, column.unit, column.classification, *column.tags)))


def _named_in(sql: str) -> str:
    """The names in a query, without SQL's own words: somebody who looks for an order does not mean `order by`."""
    return " ".join(dict.fromkeys(word for name in names_in(sql) for word in name if word.casefold() not in _NO_NAMES))
