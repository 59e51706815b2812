"""The component type `service-level-indicator`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.indicators import ServiceLevelIndicator


class ServiceLevelIndicatorComponent:
    """An indicator: in which share of the intervals of a rolling window an objective must be met."""

    name = "service-level-indicator"
    config = ServiceLevelIndicator
    variant_field = ""
    example = """
- name: Daily refresh over a rolling 20 days
  type: service-level-indicator
  properties: {service_level_name: Refreshed daily, interval: 1d, window: 20d, target: 80}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = ServiceLevelIndicatorComponent()
