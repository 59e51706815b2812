"""The queries of the examples of every dimension, on data sets and inputs that the examples may name."""

import textwrap
from collections.abc import Iterator

from platform_resources.capabilities.measures import Reading, Relation, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.measuring.measure_plan import first_queries, follow_ups
from platform_resources.measuring.metrics import Asked, Metric
from platform_resources.measuring.query_plan import Query
from platform_resources.spec.components import DataSet
from platform_resources.spec.reading import read_product

TYPES = {
    "household_id": "bigint",
    "store_id": "bigint",
    "orders": "integer",
    "revenue": "decimal(18,2)",
    "amount": "double",
    "net_sales": "double",
    "credit_limit": "double",
    "has_offer": "boolean",
    "paid_in_time": "boolean",
    "region": "varchar",
    "order_id": "bigint",
    "order_number": "bigint",
    "status": "varchar",
    "channel": "varchar",
    "age_band": "varchar",
    "income_band": "varchar",
    "postcode": "varchar",
    "is_active": "boolean",
    "last_purchase_at": "timestamp",
    "ordered_at": "timestamp",
    "changed_at": "timestamptz",
}
DATA_SET = DataSet.model_validate(
    {
        "primary_key": ["household_id"],
        "updated_at": "changed_at",
        "columns": [{"name": name, "type": kind} for name, kind in TYPES.items()],
    }
)
HEAD = """\
apiVersion: core.oam.dev/v1beta1
kind: DataProduct
spec:
  components:
    - {name: sales, type: domain}
    - {name: shop, type: data-product}
"""


class Relations(dict):
    """A relation of this schema for whatever name an example uses."""

    def __init__(self, schema: str) -> None:
        self.schema = schema

    def __missing__(self, name: str) -> Relation:
        return Relation(self.schema, name)


def subject(data_set: str | None) -> Subject:
    return Subject(DATA_SET, Relation("internal", data_set or "customers"), Relations("inputs"), Relations("internal"))


def example_queries(dimension: str) -> Iterator[tuple[str, tuple[Query, ...]]]:
    """The title of each objective of the example with all queries that it may need."""
    capability = installed_registry().dimensions()[dimension]
    document = HEAD + textwrap.indent(capability.example.strip("\n"), "    ")
    for objective in read_product(document, "product.yaml", installed_registry()).product.objectives:
        about = subject(objective.config.data_set)
        measures = capability.measures(objective.settings, about)
        asked = [Asked(name, about.relation, measure) for name, measure in measures.items()]
        first = first_queries(asked)
        answers = {metric: pretended(metric) for query in first for metric in query.metrics}
        yield objective.title, (*first, *follow_ups(asked, answers))


def pretended(metric: Metric) -> Reading:
    """An answer that calls for every follow-up: the columns are there, a range is broken, a bound is measured."""
    if "information_schema" in metric.sql:
        return Reading(chr(30).join(f"{kind}{chr(31)}{name}" for name, kind in TYPES.items()))
    return Reading(1)
