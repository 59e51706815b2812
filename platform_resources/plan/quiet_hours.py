"""When a message that may wait is sent: outside quiet hours."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from platform_resources.spec.notifications import WEEKDAYS, Weekday
from platform_resources.spec.values.moments import in_utc


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing but critical messages is sent: from `start` to `end` in the zone, beginning on each of these days.

    An end at or before the start is on the next day. Raises ValueError where it would never be loud.
    """

    start: time
    end: time
    timezone: str
    days: tuple[Weekday, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        if self.start == self.end and set(self.days) == set(WEEKDAYS):
            raise ValueError("hours that are quiet all day, every day, never end")


def not_before(quiet: QuietHours | None, at: datetime) -> datetime:
    """The first moment at or after `at` outside of quiet hours, in UTC. Raises ValueError for a time without a zone."""
    moment = in_utc(at)
    if quiet is None:
        return moment
    while (end := _end(quiet, moment)) is not None:
        moment = end
    return moment


def _end(quiet: QuietHours, moment: datetime) -> datetime | None:
    """When the quiet hours that hold the moment end: they began today or yesterday. None outside of quiet hours."""
    today = moment.astimezone(ZoneInfo(quiet.timezone)).date()
    for day in (today, today - timedelta(days=1)):
        if WEEKDAYS[day.weekday()] not in quiet.days:
            continue
        over_midnight = quiet.end <= quiet.start
        begins = _instant(datetime.combine(day, quiet.start), quiet.timezone)
        ends = _instant(datetime.combine(day + timedelta(days=over_midnight), quiet.end), quiet.timezone)
        if begins <= moment < ends:
            return ends
    return None


def _instant(local: datetime, zone: str) -> datetime:
    """A local time that the clock skips is taken by the offset before, one that comes twice is the first: RFC 5545, section 3.3.5."""
    return in_utc(local.replace(tzinfo=ZoneInfo(zone), fold=0))
