"""Compute when a product was fresh from its publications, never from polling.

Deadline form ("fresh on each day"): a slice is good if, by its deadline, a version was published that is as of at least `max_age` before
the slice's end. Late stays bad. Where the objective has deadlines of its own, it is good if what they ask for was there at each of them.
Time-weighted form ("99 % hourly"): the exact share of the time in which what a reader would have got was at most `max_age` old.
No publication means stale, and stale means bad: freshness is never unknown.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, takewhile, zip_longest

from platform_resources.capabilities.support.recency import known_until
from platform_resources.promises.exclusions import ExcludedPeriod, excluded_time, is_covered
from platform_resources.promises.periods import ZERO, Cover, Period, cover
from platform_resources.promises.slices import Share, Slice, Window
from platform_resources.spec.values.deadlines import Deadlines, MaxAge, kept_until
from platform_resources.spec.values.moments import in_utc

MICROSECOND = timedelta(microseconds=1)
# Older than every age that may be promised, and far enough from the first year to be reckoned with.
NOT_KNOWN = datetime(1000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DatedVersion:
    """A published version: its publication time, and its watermark (the publication time if it has none).

    `unknown` says that it is not known until when. Raises ValueError for a time without a zone.
    """

    published_at: datetime
    watermark: datetime | None = None
    unknown: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "published_at", in_utc(self.published_at))
        object.__setattr__(self, "watermark", None if self.watermark is None else in_utc(self.watermark))

    @property
    def as_of(self) -> datetime:
        """Up to when the version knows the world, at most its publication; where that is not known, it makes nothing fresh."""
        known = known_until(self.published_at, self.watermark, self.unknown)
        return NOT_KNOWN if known is None else known


def by_deadline(
    slices: Sequence[Slice],
    window: Window,
    publications: Iterable[DatedVersion],
    max_age: timedelta,
    now: datetime,
    due_after: timedelta = ZERO,
    exclusions: Iterable[ExcludedPeriod] = (),
) -> tuple[Slice, ...]:
    """Each slice judged at its deadline, `due_after` its end; pending until it has ended and is good, or the deadline has passed.

    A version published exactly at the deadline is in time. `max_age` and `due_after` are counted on the local clock for days of the
    calendar, so that a day of 25 hours asks for no more than any other. Also excluded is a slice whose deadline an exclusion covers.
    """
    known = _KnownUntil(publications, now)
    left_out, now = excluded_time(exclusions), in_utc(now)

    def judged(one: Slice) -> Slice:
        deadline = window.later(one.end, due_after)
        if one.end > now:
            return replace(one, state="pending")
        if is_covered(one, left_out) or left_out.reaches(deadline):
            return replace(one, state="excluded")
        known_until = known.at(deadline)
        if known_until is not None and known_until >= window.later(one.end, -max_age):
            return replace(one, state="good", measured=True)
        return replace(one, state="pending" if now < deadline else "bad", measured=True)

    return tuple(map(judged, slices))


def by_deadlines(
    slices: Sequence[Slice],
    publications: Iterable[DatedVersion],
    deadlines: Deadlines,
    now: datetime,
    exclusions: Iterable[ExcludedPeriod] = (),
) -> tuple[Slice, ...]:
    """Each whole slice, good if at every deadline in it the data due then was published; without a deadline it is excluded.

    Deadlines in excluded time do not count.
    """
    known = _KnownUntil(publications, now)
    left_out, now = excluded_time(exclusions), in_utc(now)

    def kept(deadline: datetime) -> bool:
        known_until = known.at(deadline)
        return known_until is not None and known_until >= deadlines.asks_for(deadline)

    def judged(one: Slice) -> Slice:
        if one.end > now:
            return replace(one, state="pending")
        counted = due_in(one, deadlines, left_out)
        if not counted or is_covered(one, left_out):
            return replace(one, state="excluded")
        return replace(one, state="good" if all(map(kept, counted)) else "bad", measured=True)

    return tuple(map(judged, slices))


def due_in(one: Slice, deadlines: Deadlines, left_out: Cover) -> list[datetime]:
    """The deadlines within the slice that no exclusion covers."""
    within = takewhile(lambda deadline: deadline < one.end, deadlines.after(one.start - MICROSECOND))
    return [deadline for deadline in within if not left_out.reaches(deadline)]


def next_of(deadlines: Deadlines, publications: Iterable[DatedVersion], now: datetime) -> datetime:
    """The next deadline that something new must be published by."""
    known_until = _KnownUntil(publications, now).at(in_utc(now))
    due = deadlines.kept_until(known_until) if known_until is not None else now
    return due if due > now else next(deadlines.after(now))


class _KnownUntil:
    """The furthest `as_of` published by a moment: what was delivered stays delivered, so an older version afterwards takes nothing back."""

    def __init__(self, publications: Iterable[DatedVersion], now: datetime) -> None:
        ordered = _in_order(publications, now)
        self.times = [publication.published_at for publication in ordered]
        self.furthest = list(accumulate((publication.as_of for publication in ordered), max))

    def at(self, moment: datetime) -> datetime | None:
        count = bisect_right(self.times, moment)
        return self.furthest[count - 1] if count else None


def _in_order(publications: Iterable[DatedVersion], now: datetime) -> list[DatedVersion]:
    """By time, and of two at one time the fresher last; what a clock that went wrong dates after `now` has not happened."""
    past = (publication for publication in publications if publication.published_at <= now)
    return sorted(past, key=lambda publication: (publication.published_at, publication.as_of))


def time_weighted(
    slices: Sequence[Slice],
    publications: Iterable[DatedVersion],
    max_age: MaxAge,
    now: datetime,
    exclusions: Iterable[ExcludedPeriod] = (),
) -> tuple[Slice, ...]:
    """Each whole slice with the exact share of its time, in microseconds, in which the newest version was at most `max_age` old.

    Good means fresh throughout; `ratio-timeslices` and `occurrences` read the share. Excluded time is in neither part of the share.
    The publication before the first slice matters too: leave it in. Lengths are absolute, whatever the clocks do.
    """
    fresh = fresh_time(publications, max_age, now)
    exempt = [exclusion.period for exclusion in exclusions]
    left_out, both = cover(exempt), cover([*_periods(fresh), *exempt])
    now = in_utc(now)
    return tuple(one if one.end > now else _weighted(one, both, left_out) for one in slices)


def _weighted(one: Slice, fresh_or_exempt: Cover, exempt: Cover) -> Slice:
    not_counted = exempt.within(one.start, one.end)
    good = (fresh_or_exempt.within(one.start, one.end) - not_counted) // MICROSECOND
    total = (one.end - one.start - not_counted) // MICROSECOND
    if not total:
        return replace(one, state="excluded")
    return replace(one, state="good" if good == total else "bad", share=Share(good, total), measured=True)


def fresh_time(publications: Iterable[DatedVersion], max_age: MaxAge, now: datetime) -> Cover:
    """When what a reader would have got was at most `max_age` old: from each publication until it is too old or replaced by the next.

    The watermark is a step function of time, so this is exact. A rollback to older data is stale at once.
    """
    ordered = _in_order(publications, now)
    return cover(_fresh(version, replaced_by, max_age) for version, replaced_by in zip_longest(ordered, ordered[1:]))


def _fresh(version: DatedVersion, replaced_by: DatedVersion | None, max_age: MaxAge) -> Period:
    too_old = kept_until(max_age, version.as_of)
    return Period(version.published_at, too_old if replaced_by is None else min(too_old, replaced_by.published_at))


def _periods(covered: Cover) -> Iterable[Period]:
    return (Period(start, end) for start, end in zip(covered.starts, covered.ends, strict=True))


def goes_stale(publications: Iterable[DatedVersion], max_age: MaxAge, now: datetime) -> datetime | None:
    """When the newest version is, or was, older than `max_age`; None if nothing is published. One of unknown age was never fresh."""
    ordered = _in_order(publications, now)
    return max(kept_until(max_age, ordered[-1].as_of), ordered[-1].published_at) if ordered else None


def next_deadline(
    window: Window, publications: Iterable[DatedVersion], max_age: timedelta, now: datetime, due_after: timedelta = ZERO
) -> datetime:
    """The next moment by which something new must be published so that no slice of the deadline form turns bad."""
    known_until = _KnownUntil(publications, now).at(in_utc(now))
    earliest = window.later(now, -due_after)
    if known_until is None:
        return window.later(window.slice_at(earliest).end, due_after)
    end = window.slice_at(max(earliest, in_utc(known_until + max_age - window.interval))).end
    while known_until >= window.later(end, -max_age):
        end = window.slice_at(end).end
    return window.later(end, due_after)
