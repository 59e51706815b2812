"""The input port interface `external`."""

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.spec.strict import Strict


class ExternalInputSettings(Strict):
    """Nothing but an address to show."""

    url: str | None = None


class ExternalInput:
    """A source that is described and shown in the lineage, and that the platform does not load."""

    name = "external"
    kind = "external"
    config = ExternalInputSettings
    example = """
- name: Input from erp_stock
  type: input-port
  properties: {description: Nightly stock extract of the ERP system}
"""

    def pull(self, settings: ExternalInputSettings) -> NotPulled:
        return NotPulled(settings.url)


CAPABILITY = ExternalInput()
