"""Exclude slices that lie in declared periods, such as holidays and maintenance.

An exclusion takes a slice out only if exclusions cover all of it, good slices as well as bad ones: excusing only what went wrong would
flatter the indicator. The time-weighted form of freshness leaves out the excluded time itself, to the microsecond.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from platform_resources.promises.periods import Cover, Period, cover
from platform_resources.promises.slices import Slice
from platform_resources.spec import indicators
from platform_resources.spec.values.moments import in_utc


@dataclass(frozen=True, slots=True)
class ExcludedPeriod:
    """A period that does not count, why, and who answers for that."""

    period: Period
    reason: str
    owner: str


def exclusion(written: indicators.Exclusion, zone: tzinfo) -> ExcludedPeriod:
    """A written exclusion as a period: a date as `to` includes that day; a time without a zone is the indicator's local time."""
    start, end = _bound(written.from_, zone), _bound(written.last, zone, end_of_day=True)
    return ExcludedPeriod(Period(start, end), written.reason, written.owner)


def _bound(written: date | datetime, zone: tzinfo, end_of_day: bool = False) -> datetime:
    if isinstance(written, datetime):
        return in_utc(written.replace(tzinfo=zone) if written.tzinfo is None else written)
    day = written + timedelta(days=1) if end_of_day else written
    return in_utc(datetime.combine(day, time(), zone))


def excluded_time(exclusions: Iterable[ExcludedPeriod]) -> Cover:
    """All excluded time as one set of periods."""
    return cover(exclusion.period for exclusion in exclusions)


def with_exclusions(slices: Sequence[Slice], exclusions: Iterable[ExcludedPeriod]) -> tuple[Slice, ...]:
    """The slices, those excluded that exclusions cover from start to end; a pending one stays pending."""
    left_out = excluded_time(exclusions)
    if not left_out.starts:
        return tuple(slices)
    return tuple(replace(s, state="excluded", share=None) if s.state != "pending" and is_covered(s, left_out) else s for s in slices)


def is_covered(slice_: Slice, left_out: Cover) -> bool:
    """Whether the excluded time covers the slice from start to end."""
    return left_out.within(slice_.start, slice_.end) == slice_.end - slice_.start
