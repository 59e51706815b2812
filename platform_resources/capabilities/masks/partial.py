"""The mask `partial`."""

from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.protocols import KeyScope
from platform_resources.spec.strict import Strict

Characters = Annotated[int, Field(ge=0, le=100)]


class PartialSettings(Strict):
    """How many characters stay at the beginning and at the end."""

    first: Characters = 0
    last: Characters = 0

    @model_validator(mode="after")
    def _something_stays(self) -> "PartialSettings":
        if not self.first + self.last:
            raise ValueError("no character stays; write first: 2 or last: 4, or use the mask redact")
        return self


class Partial:
    """The first or last characters of a text stay, and `***` stands for all others, however many. A text of which more than half would stay
    is `***`."""

    name = "partial"
    config = PartialSettings
    keyed: KeyScope = ""
    example = """
- name: Service desk
  type: data-sharing-agreement
  properties:
    roles:
      - {role: agent, sees: [public, internal], columns: {phone: {mask: partial, last: 4}}}
"""

    def takes(self, settings: PartialSettings, kind: str) -> bool:
        return kind == "varchar"

    def sql(self, settings: PartialSettings, column: str, kind: str, key: str) -> str:
        kept = f"left({column}, {settings.first}) || '***' || right({column}, {settings.last})"
        return f"case when length({column}) >= {2 * (settings.first + settings.last)} then {kept} when {column} is not null then '***' end"


CAPABILITY = Partial()
