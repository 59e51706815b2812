"""How times and lengths of time are said to people: on the clock of a time zone, with its zone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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


def length(took: timedelta) -> str:
    """`2 days 3 h`, `1 h 5 min`, `4 min`."""
    minutes = max(0, int(took.total_seconds() // 60))
    days, hours = minutes // 1_440, minutes % 1_440 // 60
    if days:
        return _joined(f"{days} days" if days > 1 else "1 day", f"{hours} h" if hours else "")
    if hours:
        return _joined(f"{hours} h", f"{minutes % 60} min" if minutes % 60 else "")
    return f"{minutes} min" if minutes else "less than a minute"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
