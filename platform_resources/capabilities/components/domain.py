"""The component type `domain`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.components import Domain


class DomainComponent(WithoutVariants):
    """The domain that a product belongs to; the component's name is the domain's."""

    name = "domain"
    config = Domain
    example = """
- name: customer
  type: domain
"""


CAPABILITY = DomainComponent()
