"""How times are said to people: on the clock of a time zone, with its zone."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that people read times by, and what time it is."""

    timezone: str
    now: datetime

    def moment(self, at: datetime) -> str:
        """`Mon 15 Jun, 05:00 CEST`, or `Mon 15 Jun 2025, 05:00 CEST` if that is not this year."""
        local, now = (each.astimezone(ZoneInfo(self.timezone)) for each in (at, self.now))
        year = "" if local.year == now.year else f" {local.year}"
        zone = local.tzname() or self.timezone
        return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M} {f'UTC{zone}' if zone.startswith(('+', '-')) else zone}"
