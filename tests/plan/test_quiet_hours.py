"""Quiet hours: the first moment outside of them, over midnight and where the clock changes."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from platform_resources.plan.quiet_hours import QuietHours, not_before
from platform_resources.spec.notifications import WEEKDAYS

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def quiet(start, end, days=WEEKDAYS, zone="Europe/Berlin"):
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end), zone, days)


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


NIGHT = quiet("20:00", "07:00")
CASES = [
    (NIGHT, "2026-11-18T19:59", "2026-11-18T19:59", "before they begin"),
    (NIGHT, "2026-11-18T20:00", "2026-11-19T07:00", "when they begin"),
    (NIGHT, "2026-11-18T23:30", "2026-11-19T07:00", "before midnight"),
    (NIGHT, "2026-11-19T00:30", "2026-11-19T07:00", "after midnight"),
    (NIGHT, "2026-11-19T07:00", "2026-11-19T07:00", "when they end"),
    (quiet("12:00", "13:00"), "2026-11-19T12:30", "2026-11-19T13:00", "within one day"),
    (quiet("20:00", "07:00", WORKDAYS), "2026-11-21T06:00", "2026-11-21T07:00", "on Saturday, since they began on Friday"),
    (quiet("20:00", "07:00", WORKDAYS), "2026-11-21T21:00", "2026-11-21T21:00", "on Saturday evening, when none begin"),
    (quiet("20:00", "07:00", WORKDAYS), "2026-11-23T06:00", "2026-11-23T06:00", "on Monday morning: none began on Sunday"),
    (quiet("00:00", "00:00", ("sat", "sun")), "2026-11-21T09:00", "2026-11-23T00:00", "a whole weekend, one day after the other"),
    (NIGHT, "2026-03-28T22:00", "2026-03-29T07:00", "a night of nine hours"),
    (NIGHT, "2026-10-24T22:00", "2026-10-25T07:00", "a night of eleven hours"),
    (quiet("22:00", "02:30"), "2026-03-28T23:00", "2026-03-29T03:30", "that end at a time which the clock skips"),
    (quiet("00:00", "00:00", ("sun",)), "2026-10-25T00:00", "2026-10-26T00:00", "a whole day of twenty-five hours"),
]


@pytest.mark.parametrize(("hours", "at", "expected", "when"), CASES, ids=[case[-1] for case in CASES])
def test_a_message_waits_until_quiet_hours_end(hours, at, expected, when):
    assert not_before(hours, berlin(at)) == berlin(expected).astimezone(UTC)


def test_an_hour_that_comes_twice_ends_quiet_hours_when_it_comes_first():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not_before(quiet("22:00", "02:30"), berlin("2026-10-24T23:00")) == first
    assert not_before(quiet("22:00", "02:30"), first + timedelta(hours=1)) == first + timedelta(hours=1)


def test_without_quiet_hours_nothing_waits():
    assert not_before(None, berlin("2026-11-18T23:00")) == datetime(2026, 11, 18, 22, tzinfo=UTC)


def test_a_moment_of_any_zone_is_told_in_utc():
    tokyo = timezone(timedelta(hours=9))
    found = not_before(NIGHT, datetime(2026, 11, 19, 5, 0, tzinfo=tokyo))
    assert (found, found.tzinfo) == (datetime(2026, 11, 19, 6, tzinfo=UTC), UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        not_before(NIGHT, datetime(2026, 11, 19))


def test_hours_that_never_end_are_refused():
    with pytest.raises(ValueError, match="hours that are quiet all day, every day, never end"):
        quiet("00:00", "00:00")


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland")
CLOCKS = st.times().map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=None))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@st.composite
def hours(draw):
    start, end = draw(CLOCKS), draw(CLOCKS)
    days = tuple(draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)))
    assume(start != end or len(days) < len(WEEKDAYS))
    return QuietHours(start, end, draw(st.sampled_from(ZONES)), days)


def periods(hours: QuietHours, around: date):
    """All quiet hours within a fortnight, as moments: an independent reading of the same words."""
    zone = ZoneInfo(hours.timezone)
    for day in (around + timedelta(days=shift) for shift in range(-3, 12)):
        if day.strftime("%a").lower() in hours.days:
            next_day = day + timedelta(days=1) if hours.end <= hours.start else day
            yield (
                datetime.combine(day, hours.start, zone).astimezone(UTC),
                datetime.combine(next_day, hours.end, zone).astimezone(UTC),
            )


@given(hours(), MOMENTS)
def test_it_is_the_first_loud_moment(hours, at):
    found = not_before(hours, at)
    quiet_times = list(periods(hours, at.date()))
    assert found >= at
    assert not any(start <= found < end for start, end in quiet_times)
    steps = sorted({at, found, *(end for _, end in quiet_times if at < end < found)})
    assert all(any(start <= before and end >= after for start, end in quiet_times) for before, after in pairwise(steps))


@given(hours(), MOMENTS, st.timedeltas(timedelta(), timedelta(days=3)))
def test_it_never_runs_backwards_and_stays_once_found(hours, at, later):
    found = not_before(hours, at)
    assert not_before(hours, found) == found
    assert found <= not_before(hours, at + later)


@given(hours(), MOMENTS)
def test_no_message_waits_longer_than_the_days_in_a_row_and_an_hour(hours, at):
    assert not_before(hours, at) - at <= timedelta(days=len(hours.days), hours=1)
