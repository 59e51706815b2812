"""The component type `input-port`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import InputPort


class InputPortComponent:
    """Where data comes in. Its `interface` decides how: data-product, file, python, or external for what is only described."""

    name = "input-port"
    config = InputPort
    variant_field = "interface"
    example = """
- name: orders
  type: input-port
  properties:
    interface: data-product
    associated_output_port: purchase_orders.orders
    version: ^1
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """A port that names another product's output port reads it; one that says nothing is only described."""
        return "data-product" if "associated_output_port" in properties else "external"


CAPABILITY = InputPortComponent()
