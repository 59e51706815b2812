"""The mask `redact`."""

from typing import Any

from platform_resources.capabilities.protocols import KeyScope
from platform_resources.spec.strict import Strict


class NothingToSet(Strict):
    """The mask has nothing to set."""


class Redact:
    """Every text becomes `***`; a value of any other type becomes null. Tells only whether there is a text."""

    name = "redact"
    config = NothingToSet
    keyed: KeyScope = ""
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], masked: [personal], masks: {personal: redact}}
"""

    def takes(self, settings: Any, kind: str) -> bool:
        return True

    def sql(self, settings: Any, column: str, kind: str, key: str) -> str:
        return f"case when {column} is not null then '***' end" if kind == "varchar" else "null"


CAPABILITY = Redact()
