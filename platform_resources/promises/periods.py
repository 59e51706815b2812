"""Exact arithmetic on sets of periods: how much of a time span they cover."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_resources.spec.values.moments import in_utc

ZERO = timedelta()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From `start` up to but not at `end`, kept in UTC. One that ends before it starts is empty. Raises ValueError without a zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", in_utc(self.start))
        object.__setattr__(self, "end", in_utc(self.end))


@dataclass(frozen=True, slots=True)
class Cover:
    """A union of periods: disjoint and in order, with the time covered before each. `cover` makes it."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    before: tuple[timedelta, ...]

    def until(self, moment: datetime) -> timedelta:
        """The time covered before `moment`."""
        at = bisect_right(self.starts, moment) - 1
        return ZERO if at < 0 else self.before[at] + min(moment, self.ends[at]) - self.starts[at]

    def within(self, start: datetime, end: datetime) -> timedelta:
        """The time covered between two moments; additive, since it is a difference of `until`."""
        return self.until(end) - self.until(start)

    def reaches(self, moment: datetime) -> bool:
        """Whether the time right before `moment` is covered."""
        at = bisect_left(self.starts, moment) - 1
        return at >= 0 and moment <= self.ends[at]


def cover(periods: Iterable[Period]) -> Cover:
    """The union of the periods, in whatever order they come and however they overlap."""
    starts: list[datetime] = []
    ends: list[datetime] = []
    for period in sorted(period for period in periods if period.start < period.end):
        if ends and period.start <= ends[-1]:
            ends[-1] = max(ends[-1], period.end)
        else:
            starts.append(period.start)
            ends.append(period.end)
    before, covered = [], ZERO
    for start, end in zip(starts, ends, strict=True):
        before.append(covered)
        covered += end - start
    return Cover(tuple(starts), tuple(ends), tuple(before))
