"""The component type `data-product`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.components import DataProduct


class DataProductComponent(WithoutVariants):
    """What the product is: its owners, version, stage of life, archetype, and when it is refreshed."""

    name = "data-product"
    config = DataProduct
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


CAPABILITY = DataProductComponent()
