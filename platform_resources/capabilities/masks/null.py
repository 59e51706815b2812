"""The mask `null`."""

from typing import Any

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import KeyScope


class Null:
    """Every value becomes null. Tells nothing but the column's name and type."""

    name = "null"
    config = NothingToSet
    keyed: KeyScope = ""
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], masked: [sensitive], masks: {sensitive: "null"}}
"""

    def takes(self, settings: Any, kind: str) -> bool:
        return True

    def sql(self, settings: Any, column: str, kind: str, key: str) -> str:
        return "null"


CAPABILITY = Null()
