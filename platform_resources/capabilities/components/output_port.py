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
- name: customers_before
  type: output-port
  properties: {interface: sql, data_set: customers_before, version: 1.4.0, replacement: customers_file, end_date: 2027-06-30}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        """The founding form names a JDBC address and no interface: SQL."""
        return "sql"


CAPABILITY = OutputPortComponent()
