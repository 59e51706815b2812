"""The mask `truncate-date`."""

from typing import Literal

from platform_resources.capabilities.protocols import KeyScope
from platform_resources.spec.strict import Strict


class TruncateDateSettings(Strict):
    """What of a date stays."""

    to: Literal["year", "quarter", "month", "week", "day"] = "year"


class TruncateDate:
    """A date or time becomes the first day of its year, quarter, month or week; a time also the beginning of its day."""

    name = "truncate-date"
    config = TruncateDateSettings
    keyed: KeyScope = ""
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], columns: {born_on: {mask: truncate-date, to: year}}}
"""

    def takes(self, settings: TruncateDateSettings, kind: str) -> bool:
        """A date is the beginning of its day already."""
        return kind in ("timestamp", "timestamptz") or (kind == "date" and settings.to != "day")

    def sql(self, settings: TruncateDateSettings, column: str, kind: str, key: str) -> str:
        return f"date_trunc('{settings.to}', {column})"


CAPABILITY = TruncateDate()
