"""The component type `domain`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import Domain


class DomainComponent:
    """The domain that a product belongs to; the component's name is the domain's."""

    name = "domain"
    config = Domain
    variant_field = ""
    example = """
- name: customer
  type: domain
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = DomainComponent()
