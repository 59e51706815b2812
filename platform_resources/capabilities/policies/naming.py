"""The policy `names-are-plain`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product
from platform_resources.spec.values.names import is_name


class NamesArePlain:
    """Columns of products in production are written in lower case letters, digits and _, so that no consumer needs quotes."""

    name = "names-are-plain"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: orders
  type: data-set
  properties:
    columns: [{name: order_id, type: bigint}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for data_set in product.data_sets if product.info.lifecycle == "production" else ():
            odd = [column.name for column in data_set.config.columns if not is_name(column.name)]
            if odd:
                message = f"columns whose names are not plain: {', '.join(odd)}"
                yield Breach("columns", message, "use lower case letters, digits and _, beginning with a letter", data_set.origin)


CAPABILITY = NamesArePlain()
