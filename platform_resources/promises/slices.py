"""The slices of a window, rolling or of the calendar, in a time zone, by which a promise is judged.

Whole days are days of the local calendar (23 or 25 hours where clocks change), several days are counted from Monday 5 January 1970, so
that seven are a week from Monday. Any other interval is absolute time, counted from the beginning of 1970 in UTC. A slice therefore keeps
its bounds while the window rolls over it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from platform_resources.spec.values.calendar_windows import CalendarPeriod, begin, end
from platform_resources.spec.values.moments import in_utc

SliceState = Literal["good", "bad", "unknown", "excluded", "pending"]
DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONDAY = date(1970, 1, 5)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole in integers (events, or microseconds), so that sums are exact."""

    good: int
    total: int

    def __add__(self, other: "Share") -> "Share":
        return Share(self.good + other.good, self.total + other.total)

    @property
    def ratio(self) -> Fraction | None:
        """The part divided by the whole; None if the whole is zero."""
        return Fraction(self.good, self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice, `start` up to but not at `end`, in UTC.

    `share` is how much of it was good, where that can be told. `measured` is false when a state was given without a measurement:
    an unknown slice, also once it counts as bad after its grace. `provisional` is true while a late reading may still make it good.
    """

    start: datetime
    end: datetime
    state: SliceState = "unknown"
    share: Share | None = None
    measured: bool = True
    provisional: bool = False

    def __reduce__(self) -> tuple[type["Slice"], tuple[object, ...]]:
        """Kept by the hundred thousand: made by its constructor it is read back eight times as fast as field by field."""
        return Slice, (self.start, self.end, self.state, self.share, self.measured, self.provisional)


@dataclass(frozen=True, slots=True)
class Window:
    """A rolling window: the last `length / interval` whole slices. Raises ValueError if the length is not a multiple of the interval.

    With a `period` it is the month or quarter that runs: all its whole slices so far. Its `length` is then what is usual.
    """

    length: timedelta
    interval: timedelta = DAY
    zone: tzinfo = UTC
    period: CalendarPeriod | None = None

    def __post_init__(self) -> None:
        if self.interval <= timedelta() or self.length < self.interval or self.length % self.interval:
            raise ValueError(f"a window of {self.length} is not a multiple of its interval of {self.interval}")

    @property
    def count(self) -> int:
        """The whole slices of a window that history fills."""
        return self.length // self.interval

    @property
    def by_calendar(self) -> bool:
        """Whether slices are whole days of the calendar, whose length changes with the clock."""
        return self.interval % DAY == timedelta()

    def later(self, moment: datetime, by: timedelta) -> datetime:
        """`moment` and `by`: on the local clock for days of the calendar (a day after noon is noon), else in absolute time."""
        if not by or not self.by_calendar:
            return in_utc(moment) + by
        return (in_utc(moment).astimezone(self.zone) + by).astimezone(UTC)

    def first_index(self, now: datetime) -> int:
        """The first slice of the window."""
        if self.period is None:
            return self._index(now) - self.count
        return self._from(begin(self.period, now.astimezone(self.zone).date()))

    def coming(self, now: datetime) -> tuple[Slice, ...]:
        """The slices of a window of the calendar that have not ended; a rolling window waits for none."""
        if self.period is None:
            return ()
        last = self._from(end(self.period, now.astimezone(self.zone).date()))
        return tuple(Slice(self._bound(index), self._bound(index + 1)) for index in range(self._index(now), last))

    def _from(self, day: date) -> int:
        """The first slice that begins with the day, or after it."""
        midnight = datetime.combine(day, time(), self.zone).astimezone(UTC)
        index = self._index(midnight)
        return index if self._bound(index) >= midnight else index + 1

    def slice_at(self, moment: datetime) -> Slice:
        """The slice that `moment` lies in."""
        index = self._index(in_utc(moment))
        return Slice(self._bound(index), self._bound(index + 1))

    def _index(self, moment: datetime) -> int:
        if not self.by_calendar:
            return (moment - _EPOCH) // self.interval
        index = (moment.astimezone(self.zone).date() - _FIRST_MONDAY) // self.interval
        # Clocks set back just after midnight repeat the end of the day before; the new day has begun all the same.
        return index + 1 if self._bound(index + 1) <= moment else index

    def _bound(self, index: int) -> datetime:
        """The start of the slice. Where clocks skip midnight, the day begins at the jump; where they repeat it, at the first."""
        if not self.by_calendar:
            return _EPOCH + index * self.interval
        return datetime.combine(_FIRST_MONDAY + index * self.interval, time(), self.zone).astimezone(UTC)


def window_slices(window: Window, now: datetime, since: datetime | None, after: datetime | None = None) -> tuple[Slice, ...]:
    """The whole slices of the window (unknown until they are judged), oldest first, and the running one (pending).

    With `after`, the end of a slice, only those that follow it.

    `since` is when the promise began, usually the product's first publication: slices before it do not exist, and the one it lies in
    begins with it. Without it nothing has happened yet and there are no slices. Raises ValueError for a time without a zone.
    """
    now = in_utc(now)
    if since is None or in_utc(since) > now:
        return ()
    began, running = in_utc(since), window._index(now)
    first = window.first_index(now) if after is None else max(window.first_index(now), window._index(after))
    bounds = [window._bound(index) for index in range(first, running + 2)]
    return tuple(
        Slice(max(start, began), stop, "pending" if stop > now else "unknown", measured=False)
        for start, stop in pairwise(bounds)
        if start < stop and stop > began  # a zone that leaves out a whole day, as Samoa did, has an empty slice for it
    )
