"""The policy `certified-products-keep-their-promises`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class CertifiedProductsKeepTheirPromises:
    """A certified product keeps what it promises: no promise whose miss is an error is missed, and every indicator reaches its target."""

    name = "certified-products-keep-their-promises"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "history"
    example = """
- name: customer_360
  type: data-product
  properties: {certified: true}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for broken in facts.broken_promises if product.info.certified else ():
            hint = "mend what is behind it (`mesh status` tells), promise what can be kept, or take certified away until then"
            yield Breach("certified", f"it is certified, and {broken}", hint)


CAPABILITY = CertifiedProductsKeepTheirPromises()
