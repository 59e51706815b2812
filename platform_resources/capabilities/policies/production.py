"""The policy `production-is-complete`."""

from collections.abc import Iterator

from platform_resources.capabilities.protocols import Breach
from platform_resources.spec.product import Product
from platform_resources.spec.strict import Strict

_QUALITY = frozenset({"completeness", "validity", "uniqueness", "referential-consistency", "custom-sql"})


class NoSettings(Strict):
    """The policy has nothing to set."""


class ProductionIsComplete:
    """What consumers may rely on in production: owners, a runbook, promises of freshness, volume and quality, a port, an agreement."""

    name = "production-is-complete"
    config = NoSettings
    example = """
- name: customer_360
  type: data-product
  properties:
    lifecycle: production
    owners: {business: crm-lead@example.com, technical: team:customer-data}
    support: {runbook: README.md#when-it-breaks}
"""

    def breaches(self, product: Product) -> Iterator[Breach]:
        if product.info.lifecycle != "production":
            return
        yield from _people(product)
        yield from _promises(product)
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


def _promises(product: Product) -> Iterator[Breach]:
    """A uniqueness objective is one of quality; a completeness objective may stand for volume, and then another is the one of quality."""
    dimensions = [objective.variant for objective in product.objectives]
    hint = "add a component of type service-level-asset; `mesh capabilities` lists the dimensions"
    if "freshness" not in dimensions:
        yield Breach("", "a product in production needs an objective of the dimension freshness", hint)
    if not {"volume", "completeness"} & set(dimensions):
        yield Breach("", "a product in production needs an objective of the dimension volume or completeness", hint)
    quality = [dimension for dimension in dimensions if dimension in _QUALITY]
    if not quality or (quality == ["completeness"] and "volume" not in dimensions):
        yield Breach("", f"a product in production needs an objective of quality: {', '.join(sorted(_QUALITY))}", hint)


CAPABILITY = ProductionIsComplete()
