"""The policy `classification-travels`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class ClassificationTravels:
    """A column is at least as restricted as the columns whose values become part of it, or says why not."""

    name = "classification-travels"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "history"
    example = """
- name: customers_by_town
  type: data-set
  properties:
    classification: internal
    columns: [{name: mean_income, type: double, declassified: The mean of at least fifty households.}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for column in facts.less_classified:
            data_set = product.data_set(column.data_set)
            message = f"column {column.column} is {column.now}, and is made from {column.classification} data: {column.path}"
            hint = f"write classification: {column.classification}, or why it tells less: declassified: …"
            yield Breach("columns", message, hint, data_set.origin if data_set is not None else None)


CAPABILITY = ClassificationTravels()
