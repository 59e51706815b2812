"""The component type `sample-query`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import SampleQuery


class SampleQueryComponent:
    """A predefined query over an output port that shows what the product is good for."""

    name = "sample-query"
    config = SampleQuery
    variant_field = ""
    example = """
- name: Most valuable customers
  type: sample-query
  properties: {port: customers_sql, sql: select household_id from customers order by revenue desc limit 20}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = SampleQueryComponent()
