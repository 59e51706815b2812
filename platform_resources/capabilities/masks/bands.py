"""The mask `bands`."""

from typing import Annotated

from pydantic import Field

from platform_resources.capabilities.protocols import KeyScope
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.spec.strict import Strict


class BandsSettings(Strict):
    """How wide a band is."""

    width: Annotated[int, Field(ge=2, le=10**15)]


class Bands:
    """A number becomes the lower end of the band that it lies in: with width 10, 37 becomes 30 and -3 becomes -10."""

    name = "bands"
    config = BandsSettings
    keyed: KeyScope = ""
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], columns: {age: {mask: bands, width: 10}}}
"""

    def takes(self, settings: BandsSettings, kind: str) -> bool:
        return is_numeric(kind)

    def sql(self, settings: BandsSettings, column: str, kind: str, key: str) -> str:
        """Binary numbers are divided; of exact ones what is over is taken away, so that no digit is lost."""
        if kind in ("double", "float"):
            return f"floor({column} / {settings.width}) * {settings.width}"
        over = f"(cast({column} as decimal(38, {scale(kind)})) % {settings.width} + {settings.width}) % {settings.width}"
        return f"cast({column} as decimal(38, {scale(kind)})) - ({over})"


def scale(kind: str) -> int:
    """Digits behind the point: 2 for `decimal(18,2)`, none for whole numbers."""
    return int(kind.rpartition(",")[2].rstrip(")")) if "," in kind else 0


CAPABILITY = Bands()
