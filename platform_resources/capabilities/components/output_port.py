"""The component type `output-port`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import OutputPort


class OutputPortComponent:
    """Where data goes out: one data set through one interface. All ports of a data set publish the same version."""

    name = "output-port"
    config = OutputPort
    variant_field = "interface"
    example = """
- name: customers_file
  type: output-port
  properties: {interface: file, format: parquet, data_set: customers, keep_versions: 7, renamed_from: customers_parquet}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """The founding form names a JDBC address and no interface: SQL."""
        return "sql"


CAPABILITY = OutputPortComponent()
