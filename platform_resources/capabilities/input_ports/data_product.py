"""The input port interface `data-product`."""

from typing import Annotated

from pydantic import Field

from platform_resources.capabilities.protocols import PullPort
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import RoleName, VersionRangeText


class DataProductInputSettings(Strict):
    """Which port, which versions of it, and as which role where there are several."""

    associated_output_port: Annotated[str, Field(min_length=1)]
    version: VersionRangeText = "*"
    role: RoleName | None = None


class DataProductInput:
    """Another product's output port, pinned to one published version for the whole refresh; the version read is recorded."""

    name = "data-product"
    kind = "data_product"
    config = DataProductInputSettings
    example = """
- name: orders
  type: input-port
  properties:
    interface: data-product
    associated_output_port: purchase_orders.orders
    version: ^1
    max_staleness: 36h
"""

    def pull(self, settings: DataProductInputSettings) -> PullPort:
        return PullPort(settings.associated_output_port, settings.version, settings.role or "")


CAPABILITY = DataProductInput()
