"""The component type `sample-query`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.components import SampleQuery


class SampleQueryComponent(WithoutVariants):
    """A predefined query over an output port that shows what the product is good for."""

    name = "sample-query"
    config = SampleQuery
    example = """
- name: Most valuable customers
  type: sample-query
  properties: {port: customers_sql, sql: select household_id from customers order by revenue desc limit 20}
"""


CAPABILITY = SampleQueryComponent()
