"""The component type `consumer`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import Consumer


class ConsumerComponent:
    """A known consumer outside the mesh: a dashboard, a model, a notebook, a report or an application."""

    name = "consumer"
    config = Consumer
    variant_field = ""
    example = """
- name: CRM dashboard
  type: consumer
  properties: {kind: dashboard, uses: [customers_sql], url: "https://bi.example.com/crm", owner: team:crm}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = ConsumerComponent()
