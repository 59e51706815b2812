"""The policy `production-is-complete`."""

from collections.abc import Iterator, Mapping

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Assurance, Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class ProductionIsComplete:
    """What consumers may rely on in production: owners, a runbook, promises of freshness, volume and quality, a port, an agreement."""

    name = "production-is-complete"
    config = NothingToSet
    level: Level = "error"
    needs: PolicyNeeds = "documents"
    example = """
- name: customer_360
  type: data-product
  properties:
    lifecycle: production
    owners: {business: crm-lead@example.com, technical: team:customer-data}
    support: {runbook: README.md#when-it-breaks}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        if product.info.lifecycle != "production":
            return
        yield from _people(product)
        yield from _promises(product, facts.vouching)
        if not product.output_ports:
            yield Breach("", "a product in production needs an output port", "add a component of type output-port")
        if not product.agreements:
            yield Breach("", "a product in production needs the terms for its consumers", "add a component of type data-sharing-agreement")


def _people(product: Product) -> Iterator[Breach]:
    owners = product.info.owners
    for role, owner in (("business", owners.business), ("technical", owners.technical)):
        if owner is None:
            hint = "write owners: {business: name@example.com, technical: team:name}"
            yield Breach("owners", f"a product in production needs a {role} owner", hint)
    if product.info.support.runbook is None:
        hint = 'write support: {runbook: "README.md#when-it-breaks"}'
        yield Breach("support", "a product in production needs a runbook: what to do when it breaks", hint)


def _promises(product: Product, vouching: Mapping[str, frozenset[Assurance]]) -> Iterator[Breach]:
    """One objective may be all that speaks of quality, or all that speaks of the amount, and not both."""
    vouched_of = [vouching[objective.variant] for objective in product.objectives]
    hint = "add a component of type service-level-asset; `mesh capabilities` lists the dimensions"
    assurances: tuple[Assurance, ...] = ("age", "amount")
    for assurance in assurances:
        if not any(assurance in vouched for vouched in vouched_of):
            dimensions = " or ".join(name for name, vouched in vouching.items() if assurance in vouched)
            yield Breach("", f"a product in production needs an objective of the dimension {dimensions}", hint)
    quality = [vouched for vouched in vouched_of if "quality" in vouched]
    amount = [vouched for vouched in vouched_of if "amount" in vouched]
    if not quality or (len(quality) == 1 and amount == quality):
        dimensions = ", ".join(name for name, vouched in vouching.items() if "quality" in vouched)
        yield Breach("", f"a product in production needs an objective of quality: {dimensions}", hint)


CAPABILITY = ProductionIsComplete()
