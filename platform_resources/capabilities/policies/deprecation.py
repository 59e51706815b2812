"""The policy `deprecation-is-announced`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class DeprecationIsAnnounced:
    """Consumers of a deprecated product, or of a port that ends, are told what replaces it and until when it lives."""

    name = "deprecation-is-announced"
    config = NothingToSet
    level: Level = "error"
    needs: PolicyNeeds = "documents"
    example = """
- name: customer_list
  type: data-product
  properties: {lifecycle: deprecated, replacement: customer_360, end_date: 2027-06-30}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for port in product.output_ports:
            if port.config.is_ending and port.config.replacement is None:
                yield Breach("", "a port that ends needs a replacement", "write replacement: <output port>", port.origin)
            if port.config.is_ending and port.config.end_date is None:
                yield Breach("", "a port that ends needs the date on which it does", "write end_date: 2027-06-30", port.origin)
        if product.info.lifecycle != "deprecated":
            return
        if product.info.replacement is None:
            yield Breach("lifecycle", "a deprecated product needs a replacement", "write replacement: <product>")
        if product.info.end_date is None:
            yield Breach("lifecycle", "a deprecated product needs the date on which it ends", "write end_date: 2027-06-30")


CAPABILITY = DeprecationIsAnnounced()
