"""The input port interface `source`."""

from typing import Any

from platform_resources.capabilities.protocols import PullShared
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text
from platform_resources.spec.values.written_values import plain_values


class SourceSettings(Strict):
    """Which source of domain.yaml, and what to read of it: fields of the source's interface, such as `table`."""

    source: Text
    read: dict[str, Any] = {}


class SourceInput:
    """A source that domain.yaml declares once for all products of the domain; what several of them read of it is pulled once."""

    name = "source"
    kind = "source"
    config = SourceSettings
    example = """
- name: orders
  type: input-port
  properties: {interface: source, source: shop, read: {table: orders}}
"""

    def pull(self, settings: SourceSettings) -> PullShared:
        return PullShared(settings.source, plain_values(settings.read))


CAPABILITY = SourceInput()
