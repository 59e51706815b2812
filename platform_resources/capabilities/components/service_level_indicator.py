"""The component type `service-level-indicator`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.indicators import ServiceLevelIndicator


class ServiceLevelIndicatorComponent(WithoutVariants):
    """An indicator: in which share of the intervals of a rolling window an objective must be met."""

    name = "service-level-indicator"
    config = ServiceLevelIndicator
    example = """
- name: Daily refresh over a rolling 20 days
  type: service-level-indicator
  properties: {service_level_name: Refreshed daily, interval: 1d, window: 20d, target: 80}
"""


CAPABILITY = ServiceLevelIndicatorComponent()
