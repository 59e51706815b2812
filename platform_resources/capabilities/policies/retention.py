"""The policy `retention-is-declared`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class RetentionIsDeclared:
    """What a certified product hides from others has an end: old versions of it are taken away in time."""

    name = "retention-is-declared"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: customers
  type: data-set
  properties:
    retention: 90d
    columns: [{name: email, type: varchar, classification: personal}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for port in product.output_ports if product.info.certified else ():
            data_set = product.data_set(port.config.data_set)
            if data_set is None or (port.config.retention or data_set.config.retention) is not None:
                continue
            hidden = [column.name for column in data_set.config.columns if not column.shown]
            if hidden:
                message = f"no retention says how long old versions of {', '.join(hidden)} stay"
                yield Breach("", message, f"write retention: 90d, here or at data set {data_set.title}", port.origin)


CAPABILITY = RetentionIsDeclared()
