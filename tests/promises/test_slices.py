"""Slices of rolling windows: days where clocks change, hours that do not care, windows longer than history."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.slices import Share, Window, window_slices
from tests.promises.moments import DAY, HOUR, LONG_AGO, MIDNIGHT, NOON, few, states, utc

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Havana",
    "America/St_Johns",
    "Pacific/Apia",
]
zones = st.sampled_from(ZONES)
intervals = st.sampled_from([HOUR / 4, HOUR, 7 * HOUR, DAY, 36 * HOUR, 7 * DAY])
instants = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def local(zone, text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


CHANGES = [
    ("Europe/Berlin", "2026-03-29", 23),
    ("Europe/Berlin", "2026-10-25", 25),
    ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25),
    ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ("Australia/Lord_Howe", "2026-10-04", 23.5),
    ("America/Havana", "2026-03-08", 23),  # clocks jump from 0:00 to 1:00: the day has no midnight
    ("America/Havana", "2026-11-01", 25),  # clocks go from 1:00 back to 0:00: two midnights
    ("America/St_Johns", "2010-11-07", 24 + 59 / 60 + 1 / 60),  # from 0:01 back to 23:01 of the day before
]


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_a_day_is_a_day_of_the_local_calendar_also_where_clocks_change(zone, day, hours):
    window = Window(3 * DAY, DAY, ZoneInfo(zone))
    found = window_slices(window, local(zone, f"{day}T12:00") + 2 * DAY, LONG_AGO - 20 * 365 * DAY)
    changed = next(one for one in found if one.start == local(zone, f"{day}T00:00").astimezone(UTC))
    assert (changed.end - changed.start) / HOUR == pytest.approx(hours)
    assert states(found) == "uuup"


def test_a_day_that_a_zone_left_out_has_no_slice():
    found = window_slices(Window(3 * DAY, DAY, ZoneInfo("Pacific/Apia")), utc("2011-12-31T20:00"), LONG_AGO - 20 * 365 * DAY)
    assert [one.start.astimezone(ZoneInfo("Pacific/Apia")).day for one in found] == [29, 31, 1]


def test_hours_are_absolute_and_24_a_day_even_in_october():
    found = window_slices(Window(DAY, HOUR, ZoneInfo("Europe/Berlin")), utc("2026-10-25T12:30"), LONG_AGO)
    assert {one.end - one.start for one in found} == {HOUR}
    assert (len(found), found[0].start) == (25, utc("2026-10-24T12:00"))


def test_seven_days_are_a_week_from_monday():
    found = window_slices(Window(14 * DAY, 7 * DAY), NOON, LONG_AGO)
    assert [one.start.strftime("%a %d") for one in found] == ["Mon 01", "Mon 08", "Mon 15"]


def test_the_running_slice_is_pending_and_a_new_one_begins_at_midnight_sharp():
    assert states(window_slices(Window(2 * DAY), MIDNIGHT - timedelta(microseconds=1), LONG_AGO)) == "uup"
    found = window_slices(Window(2 * DAY), MIDNIGHT, LONG_AGO)
    assert (states(found), found[-1].start) == ("uup", MIDNIGHT)


def test_a_window_longer_than_history_has_only_the_slices_since_the_first_event():
    found = window_slices(Window(20 * DAY), NOON, NOON - 2 * DAY)
    assert [(one.start, one.end) for one in found] == [
        (NOON - 2 * DAY, MIDNIGHT - DAY),
        (MIDNIGHT - DAY, MIDNIGHT),
        (MIDNIGHT, MIDNIGHT + DAY),
    ]


@pytest.mark.parametrize("since", [None, NOON + HOUR])
def test_without_history_there_are_no_slices(since):
    assert window_slices(Window(20 * DAY), NOON, since) == ()


@pytest.mark.parametrize(("length", "interval"), [(HOUR, DAY), (30 * DAY, 7 * DAY), (DAY, timedelta())])
def test_a_window_that_is_no_multiple_of_its_interval_is_refused(length, interval):
    with pytest.raises(ValueError, match="is not a multiple of its interval"):
        Window(length, interval)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="2026-06-15T12:00:00 has no time zone"):
        window_slices(Window(DAY), NOON.replace(tzinfo=None), LONG_AGO)


def test_a_day_later_is_the_same_time_on_the_local_clock():
    window = Window(DAY, DAY, ZoneInfo("Europe/Berlin"))
    assert (
        window.later(local("Europe/Berlin", "2026-10-24T12:00"), DAY) - local("Europe/Berlin", "2026-10-24T12:00").astimezone(UTC)
        == 25 * HOUR
    )
    assert Window(DAY, HOUR, ZoneInfo("Europe/Berlin")).later(utc("2026-10-24T12:00"), DAY) == utc("2026-10-25T12:00")


@few
@given(zones, intervals, st.integers(1, 12), instants)
def test_slices_follow_each_other_without_gap_and_hold_now(zone, interval, count, now):
    window = Window(count * interval, interval, ZoneInfo(zone))
    found = window_slices(window, now, datetime(1990, 1, 1, tzinfo=UTC))
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
    assert found[-1].start <= now < found[-1].end
    assert [one.state for one in found] == ["unknown"] * (len(found) - 1) + ["pending"]
    assert len(found) == count + 1 or zone == "Pacific/Apia"


@few
@given(zones, intervals, instants, st.timedeltas(timedelta(), timedelta(days=9)))
def test_a_slice_keeps_its_bounds_while_the_window_rolls(zone, interval, now, later):
    window = Window(10 * interval, interval, ZoneInfo(zone))
    before, after = (window_slices(window, moment, datetime(1990, 1, 1, tzinfo=UTC)) for moment in (now, now + later))
    shared = {one.start: one.end for one in before}
    assert all(shared[one.start] == one.end for one in after if one.start in shared)


def test_a_share_of_nothing_has_no_ratio():
    assert (Share(0, 0).ratio, (Share(1, 2) + Share(2, 2)).ratio) == (None, Share(3, 4).ratio)
