"""The policy `columns-are-classified`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product
from platform_resources.spec.values.field_types import UNCLASSIFIED


class ColumnsAreClassified:
    """In production every column says what it is; what it is not said of might be personal."""

    name = "columns-are-classified"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: customers
  type: data-set
  properties:
    classification: internal
    columns: [{name: customer_id, type: bigint}, {name: email, type: varchar, classification: personal}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for data_set in product.data_sets if product.info.lifecycle == "production" else ():
            unsaid = [column.name for column in data_set.config.columns if column.classification == UNCLASSIFIED]
            if unsaid:
                message = f"unclassified columns of a product in production: {', '.join(unsaid)}"
                hint = "write their classification, or one for all columns of the data set: classification: internal"
                yield Breach("columns", message, hint, data_set.origin)


CAPABILITY = ColumnsAreClassified()
