"""The policy `agreements-say-a-purpose`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class AgreementsSayAPurpose:
    """Every agreement that gives roles says what the data may be used for; every grant says it anyway."""

    name = "agreements-say-a-purpose"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: Internal use
  type: data-sharing-agreement
  properties:
    purpose: Analytics inside the company.
    roles: [{role: analyst, sees: [public, internal]}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for agreement in product.agreements:
            if agreement.config.roles and not agreement.config.purpose.strip():
                yield Breach("", "an agreement needs a purpose", "write purpose: what the data may be used for", agreement.origin)


CAPABILITY = AgreementsSayAPurpose()
