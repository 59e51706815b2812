"""The component type `consumer`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.components import Consumer


class ConsumerComponent(WithoutVariants):
    """A known consumer outside the mesh: a dashboard, a model, a notebook, a report or an application."""

    name = "consumer"
    config = Consumer
    example = """
- name: CRM dashboard
  type: consumer
  properties: {kind: dashboard, uses: [customers_sql], url: "https://bi.example.com/crm", owner: team:crm}
"""


CAPABILITY = ConsumerComponent()
