"""The component type `service-level-asset`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.components import ServiceLevelAsset


class ServiceLevelAssetComponent:
    """An objective: one promise about one dimension. With `gate: true`, a version that misses it is not published."""

    name = "service-level-asset"
    config = ServiceLevelAsset
    variant_field = "dimension"
    example = """
- name: Refreshed daily
  type: service-level-asset
  properties: {dimension: freshness, data_set: customers, max_age: 24h}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = ServiceLevelAssetComponent()
