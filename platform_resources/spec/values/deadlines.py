"""Deadlines by the clock and the calendar: by when newer data must be there, and from when on it must be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, groupby, islice, pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from croniter import croniter

from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.moments import in_utc
from platform_resources.spec.values.working_days import DAY, EVERY_DAY, WorkingDays

Covered = Literal["day", "working-day", "week", "month", "quarter"]
ZERO, MINUTE = timedelta(), timedelta(minutes=1)
# A cron that comes on 29 February alone waits for eight years at the turn of a century.
LONGEST_WAIT = timedelta(days=12 * 366)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_COVERED: dict[Covered, timedelta] = {
    "day": 2 * DAY,
    "working-day": 31 * DAY,
    "week": 14 * DAY,
    "month": 62 * DAY,
    "quarter": 184 * DAY,
}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The times of a cron expression, on the days that count. By each, data must be at most `max_age` old, or cover a whole period.

    A time that the clock skips is the first one after it; of a time that comes twice in a night, the later counts, and both if the cron
    names every hour. `dates`: the data tell days, not times, and a day is its midnight in UTC. `said` is the cron in words.
    """

    cron: str
    timezone: str = "UTC"
    days: WorkingDays = EVERY_DAY
    max_age: timedelta = DAY
    covers: Covered | None = None
    dates: bool = False
    said: str = ""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The deadlines after the moment, in order, for as long as any cron may wait for its next time."""
        local = self._local(max(in_utc(moment), _EARLIEST))
        for day, times in groupby(_walk(self.cron, local.date(), 1), key=datetime.date):
            if day - local.date() > LONGEST_WAIT:
                return
            yield from (at for at in self._instants(day, times) if at > moment)

    def last(self, moment: datetime) -> datetime | None:
        """The newest deadline that has passed at this moment; None if there has been none for years."""
        local = self._local(in_utc(moment))
        for day, times in groupby(_walk(self.cron, local.date() + 2 * DAY, -1), key=datetime.date):
            if local.date() - day > LONGEST_WAIT:
                break
            passed = [at for at in self._instants(day, times) if at <= moment]
            if passed:
                return passed[-1]
        return None

    def asks_for(self, deadline: datetime) -> datetime:
        """The moment up to which data must be there at this deadline."""
        local = deadline.astimezone(ZoneInfo(self.timezone))
        if self.covers is None:
            earlier = local - self.max_age if not self.max_age % DAY else in_utc(deadline) - self.max_age
            return earlier.astimezone(UTC)
        begins = _begin(self.covers, local.date(), self.days)
        return datetime.combine(begins, time(), UTC if self.dates else ZoneInfo(self.timezone)).astimezone(UTC)

    def asked_at(self, moment: datetime) -> datetime:
        """The moment up to which data must be there now, by the last deadline that has passed."""
        passed = self.last(moment)
        return _EARLIEST if passed is None else self.asks_for(passed)

    def kept_until(self, known_until: datetime) -> datetime:
        """The first deadline at which data as of `known_until` are not new enough."""
        longest = self.max_age if self.covers is None else ZERO
        for deadline in self.after(max(known_until, known_until + longest - 2 * DAY)):
            if self.asks_for(deadline) > known_until:
                return deadline
        raise ValueError(f"{self.text} names no time that ever comes")

    @property
    def reach(self) -> timedelta:
        """How far back a version may at least have been published and still keep the promise."""
        _, _, day, month, _ = self.cron.split()
        between = 31 * DAY if (day, month) == ("*", "*") else 400 * DAY
        return between + (self.max_age if self.covers is None else _LONGEST_COVERED[self.covers])

    @property
    def shortest_gap(self) -> timedelta:
        """The shortest time between two deadlines, where no clock changes."""
        some = list(islice(replace(self, timezone="UTC").after(_EARLIEST), 50))
        return min((later - earlier for earlier, later in pairwise(some)), default=LONGEST_WAIT)

    @property
    def plain_cron(self) -> str | None:
        """A cron expression that has the same times; None if holidays, or weekends of another kind, keep any from having them."""
        *others, weekdays = self.cron.split()
        if self.days == EVERY_DAY:
            return self.cron
        plain = self.days == WorkingDays(without_weekends=True) and weekdays == "*" and others[2] == "*"
        return " ".join((*others, "1-5")) if plain else None

    @property
    def text(self) -> str:
        """In words: `by 06:00 on working days (Europe/Berlin), of the day before`."""
        kinds = "on working days" if self.days.without_weekends else ""
        holidays = f"without the holidays of {self.days.country}" if self.days.country else ""
        listed = "without the days that are listed" if self.days.days_off else ""
        when = " ".join(filter(None, (self.said or f"by each time of {self.cron}", kinds, holidays, listed)))
        what = f"covering the {self.covers.replace('-', ' ')} before" if self.covers else f"at most {duration_text(self.max_age)} old"
        return f"{when} ({self.timezone}), {what}"

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)

    def _instants(self, day: date, times: Iterator[datetime]) -> list[datetime]:
        """The deadlines of one local day, in order."""
        if not self.days.counts(day):
            return []
        zone, every_hour = ZoneInfo(self.timezone), self.cron.split()[1].startswith("*")
        return sorted(set(chain.from_iterable(_shown_at(at, zone, every_hour) for at in times)))


MaxAge = timedelta | Deadlines


def kept_until(age: MaxAge, known_until: datetime) -> datetime:
    """Until when data as of `known_until` keeps a promise of its age."""
    return age.kept_until(known_until) if isinstance(age, Deadlines) else known_until + age


def asked_at(age: MaxAge, moment: datetime) -> datetime:
    """The moment up to which data must be there now, to keep a promise of its age."""
    return age.asked_at(moment) if isinstance(age, Deadlines) else moment - age


def reach(age: MaxAge) -> timedelta:
    """How far back a version may at least have been published and still keep a promise of its age."""
    return age.reach if isinstance(age, Deadlines) else age


def age_text(age: MaxAge) -> str:
    """`at most 24h`, or the deadlines in words."""
    return age.text if isinstance(age, Deadlines) else f"at most {duration_text(age)}"


def promised_text(age: MaxAge, now: datetime) -> str:
    """`at most 24h promised`, or what the deadline that passed last asked for."""
    if not isinstance(age, Deadlines):
        return f"{age_text(age)} promised"
    clock, passed = Clock(age.timezone, now), age.last(now)
    since = f" since {clock.moment(passed)}" if passed is not None else ""
    return f"as of {clock.moment(age.asked_at(now))} or newer promised{since}: {age.text}"


def _walk(cron: str, day: date, direction: Literal[1, -1]) -> Iterator[datetime]:
    """The times of the cron as a clock on the wall shows them: from the beginning of the day on, or back from it."""
    start = datetime.combine(day, time()) - direction * MINUTE
    times = croniter(cron, start, max_years_between_matches=12)
    return iter(lambda: times.get_next(datetime) if direction == 1 else times.get_prev(datetime), None)


def _shown_at(local: datetime, zone: ZoneInfo, every_hour: bool) -> Iterator[datetime]:
    """When a clock in the zone shows this time, or the next one that it shows if it skips it."""
    while (at := local.replace(tzinfo=zone, fold=1).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += MINUTE
    if every_hour:
        yield local.replace(tzinfo=zone).astimezone(UTC)
    yield at


def _begin(covers: Covered, day: date, days: WorkingDays) -> date:
    """The first day of the last whole period before this day."""
    match covers:
        case "day":
            return day - DAY
        case "working-day":
            return WorkingDays(True, days.country, days.days_off).last_before(day)
        case "week":
            return day - (day.weekday() + 7) * DAY
        case "month":
            return (day.replace(day=1) - DAY).replace(day=1)
        case "quarter":
            last = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) - DAY
            return last.replace(month=last.month - 2, day=1)
