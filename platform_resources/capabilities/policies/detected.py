"""The policy `personal-names-are-classified`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.detection.detectors import told_by_name
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product
from platform_resources.spec.values.field_types import UNCLASSIFIED


class PersonalNamesAreClassified:
    """In production a column that is named like personal data is classified as such, or says why it is not."""

    name = "personal-names-are-classified"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: stores
  type: data-set
  properties:
    classification: public
    columns: [{name: address, type: varchar, declassified: "Where a shop is, not where a person lives."}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for data_set in product.data_sets if product.info.lifecycle == "production" else ():
            for at, column in enumerate(data_set.config.columns):
                kind = told_by_name(column.name, column.type == "boolean")
                is_open = column.classification == UNCLASSIFIED or column.rule.others == "clear"
                if kind is not None and is_open and column.declassified is None:
                    message = f"column {column.name} is named like {kind} data, and is {column.classification}"
                    hint = f"write classification: {kind}, or why it is none: declassified: …; `mesh classify {product.name}` looks at it"
                    yield Breach(f"columns[{at}]", message, hint, data_set.origin)


CAPABILITY = PersonalNamesAreClassified()
