"""The mask `pseudonym`."""

from typing import Any

from platform_resources.capabilities.masks.keyed_hash import hashed, is_hashable
from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import KeyScope


class Pseudonym:
    """As `keyed-hash`, under a key of its own for each agreement: values can be joined within an agreement, and not across agreements."""

    name = "pseudonym"
    config = NothingToSet
    keyed: KeyScope = "agreement"
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], columns: {customer_id: pseudonym}}
"""

    def takes(self, settings: Any, kind: str) -> bool:
        return is_hashable(kind)

    def sql(self, settings: Any, column: str, kind: str, key: str) -> str:
        return hashed(column, kind, key)


CAPABILITY = Pseudonym()
