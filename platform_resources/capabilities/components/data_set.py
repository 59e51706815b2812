"""The component type `data-set`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.components import DataSet


class DataSetComponent(WithoutVariants):
    """One table that the product promises: the dbt model behind it, its key, its columns and their classification."""

    name = "data-set"
    config = DataSet
    example = """
- name: customers
  type: data-set
  properties:
    primary_key: [household_id]
    columns:
      - {name: household_id, type: bigint, identifier: household}
      - {name: age_band, type: varchar, nullable: true, classification: personal}
"""


CAPABILITY = DataSetComponent()
