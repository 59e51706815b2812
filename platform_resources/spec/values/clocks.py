"""Write times for people, in a time zone and with its name."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Clock:
    """A time zone and the current time, by which times are shown."""

    timezone: str
    now: datetime

    def moment(self, at: datetime) -> str:
        """`Mon 15 Jun, 05:00 CEST`, or `Mon 15 Jun 2025, 05:00 CEST` if that is not this year."""
        local, now = (moment.astimezone(ZoneInfo(self.timezone)) for moment in (at, self.now))
        year = "" if local.year == now.year else f" {local.year}"
        return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M} {self._zone(local)}"

    def minute(self, at: datetime) -> str:
        """`2026-06-15 05:00 CEST`, for columns of a table and for texts that are read years later."""
        local = at.astimezone(ZoneInfo(self.timezone))
        return f"{local:%Y-%m-%d %H:%M} {self._zone(local)}"

    def _zone(self, local: datetime) -> str:
        zone = local.tzname() or self.timezone
        return f"UTC{zone}" if zone.startswith(("+", "-")) else zone
