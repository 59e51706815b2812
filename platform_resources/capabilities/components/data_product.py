"""The component type `data-product`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import DataProduct


class DataProductComponent:
    """What the product is: its owners, version, stage of life, archetype, and when it is refreshed."""

    name = "data-product"
    config = DataProduct
    variant_field = ""
    example = """
- name: customer_360
  type: data-product
  properties:
    title: Customer 360
    version: 1.2.0
    lifecycle: production
    archetype: aggregate
    owners: {business: crm-lead@example.com, technical: team:customer-data}
    refresh: {on: inputs}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = DataProductComponent()
