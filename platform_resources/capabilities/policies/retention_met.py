"""The policy `retention-is-met`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class RetentionIsMet:
    """No version, and no file of one, is older than the retention that is said of it."""

    name = "retention-is-met"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "history"
    example = """
- name: customers
  type: data-set
  properties: {retention: 90d}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for message in facts.outlived:
            yield Breach("", message, "`mesh evaluate` and each refresh take away what nobody reads any more")


CAPABILITY = RetentionIsMet()
