"""The component type `data-set`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import DataSet


class DataSetComponent:
    """One table that the product promises: the dbt model behind it, its key, its columns and their classification."""

    name = "data-set"
    config = DataSet
    variant_field = ""
    example = """
- name: customers
  type: data-set
  properties:
    primary_key: [household_id]
    columns:
      - {name: household_id, type: bigint, identifier: household}
      - {name: age_band, type: varchar, nullable: true, classification: personal}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = DataSetComponent()
