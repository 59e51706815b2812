"""Deadlines by the clock and the calendar, also in nights in which clocks change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.exclusions import ExcludedPeriod
from platform_resources.promises.fresh_time import DatedVersion, by_deadlines, goes_stale, next_of
from platform_resources.promises.grades import PublishedState, freshness_now
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import Window, window_slices
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.deadlines import Deadlines
from platform_resources.spec.values.working_days import WorkingDays
from tests.promises.moments import DAY, HOUR, LONG_AGO, few, moments, states, utc

AT_SIX = Deadlines("0 6 * * *", "Europe/Berlin", said="by 06:00")
BAVARIA = replace(AT_SIX, days=WorkingDays(without_weekends=True, country="DE-BY"))


def following(deadlines, start, count):
    return [f"{at:%m-%dT%H:%M}" for at in islice(deadlines.after(utc(start)), count)]


NIGHTS = [
    ("06:00 is an hour earlier in UTC once clocks are set forward", "0 6 * * *", "2026-03-28T00:00", ["03-28T05:00", "03-29T04:00"]),
    ("06:00 is an hour later once they are set back", "0 6 * * *", "2026-10-24T00:00", ["10-24T04:00", "10-25T05:00"]),
    ("02:30 is skipped: due when clocks show 03:00", "30 2 * * *", "2026-03-28T12:00", ["03-29T01:00", "03-30T00:30"]),
    ("02:30 comes twice: the later one counts", "30 2 * * *", "2026-10-24T12:00", ["10-25T01:30", "10-26T01:30"]),
    ("every hour of a night of 25 hours", "0 * * * *", "2026-10-24T23:30", ["10-25T00:00", "10-25T01:00", "10-25T02:00"]),
    ("every hour of a night of 23 hours", "0 * * * *", "2026-03-29T00:30", ["03-29T01:00", "03-29T02:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("cron", "start", "expected"), [pytest.param(*case, id=name) for name, *case in NIGHTS])
def test_deadlines_follow_the_clock_on_the_wall(cron, start, expected):
    assert following(Deadlines(cron, "Europe/Berlin"), start, len(expected)) == expected


def test_weekends_and_holidays_of_a_part_of_a_country_have_no_deadline():
    # Thursday 4 June 2026 is Corpus Christi, a holiday in Bavaria and not in Berlin.
    assert following(BAVARIA, "2026-06-03T12:00", 2) == ["06-05T04:00", "06-08T04:00"]
    berlin = replace(BAVARIA, days=WorkingDays(without_weekends=True, country="DE-BE"))
    assert following(berlin, "2026-06-03T12:00", 2) == ["06-04T04:00", "06-05T04:00"]


def test_the_weekend_is_the_countrys():
    kuwait = Deadlines("0 6 * * *", days=WorkingDays(without_weekends=True, country="KW"))
    assert following(kuwait, "2026-06-04T12:00", 1) == ["06-07T06:00"]  # after Thursday 4 June


def test_listed_days_have_no_deadline():
    assert following(replace(AT_SIX, days=WorkingDays(days_off=(date(2026, 6, 4),))), "2026-06-03T12:00", 1) == ["06-05T04:00"]


COVERED = [
    ("day", "2026-06-15T04:00", "2026-06-13T22:00"),
    ("working-day", "2026-06-15T04:00", "2026-06-11T22:00"),  # the Friday before Monday
    ("working-day", "2026-06-05T04:00", "2026-06-02T22:00"),  # the Wednesday before a Thursday that is a holiday
    ("week", "2026-06-17T04:00", "2026-06-07T22:00"),
    ("month", "2026-06-17T04:00", "2026-04-30T22:00"),
    ("month", "2026-01-17T05:00", "2025-11-30T23:00"),
    ("quarter", "2026-06-17T04:00", "2025-12-31T23:00"),
    ("quarter", "2026-01-01T05:00", "2025-09-30T22:00"),
]  # fmt: skip


@pytest.mark.parametrize(("covers", "deadline", "expected"), COVERED)
def test_the_newest_row_must_lie_in_the_last_whole_period_or_after_it(covers, deadline, expected):
    assert replace(BAVARIA, covers=covers).asks_for(utc(deadline)) == utc(expected)


def test_a_date_belongs_to_its_day_in_every_time_zone():
    new_york = Deadlines("0 6 * * *", "America/New_York", covers="day")
    deadline = utc("2026-06-15T10:00")
    assert new_york.asks_for(deadline) == utc("2026-06-14T04:00")
    assert replace(new_york, dates=True).asks_for(deadline) == utc("2026-06-14T00:00")


def test_an_age_at_the_deadline_is_counted_on_the_clock_on_the_wall():
    assert AT_SIX.asks_for(utc("2026-03-29T04:00")) == utc("2026-03-28T05:00")


crons = st.sampled_from(["0 6 * * *", "30 2 * * *", "0 6 * * 1-5", "15 */8 * * *", "0 4 1 * *"])
every = st.builds(
    Deadlines,
    crons,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    st.sampled_from([WorkingDays(), WorkingDays(True), WorkingDays(True, days_off=(date(2026, 6, 10),))]),
    st.sampled_from([HOUR, DAY, 3 * DAY]),
    st.sampled_from([None, "day", "working-day", "week", "month"]),
)


@few
@given(every, moments)
def test_data_keep_the_promise_up_to_the_first_deadline_that_asks_for_newer(deadlines, known_until):
    until = deadlines.kept_until(known_until)
    assert deadlines.asked_at(until) > known_until >= deadlines.asked_at(until - timedelta(minutes=1))


@few
@given(every, moments)
def test_the_deadline_that_passed_last_is_the_one_before_the_next(deadlines, moment):
    passed = deadlines.last(moment)
    assert passed <= moment < next(deadlines.after(passed)) == next(deadlines.after(moment))


def versions(*texts):
    return [DatedVersion(*(utc(f"2026-06-{part}") for part in text.split("/"))) for text in texts]


def days(deadlines, *texts, now="2026-06-16T00:00", exclusions=()):
    """Friday 12 to Monday 15 June by the days of Berlin."""
    window = Window(4 * DAY, zone=ZoneInfo("Europe/Berlin"))
    slices = window_slices(window, utc(now), LONG_AGO)
    return states(by_deadlines(slices, versions(*texts), deadlines, utc(now), exclusions))


WEEKEND = [
    ("each in time", ["12T03:00", "15T03:00"], "geegp"),
    ("Monday comes a minute late and stays bad", ["12T03:00", "15T04:01"], "geebp"),
    ("Monday's comes on time, with data of last week", ["12T03:00", "15T03:00/12T03:00"], "geebp"),
    ("nothing ever", [], "beebp"),
]


@pytest.mark.parametrize(("events", "expected"), [pytest.param(*case, id=name) for name, *case in WEEKEND])
def test_days_on_which_nothing_is_due_do_not_count_and_late_stays_bad(events, expected):
    assert days(replace(AT_SIX, days=WorkingDays(without_weekends=True)), *events) == expected


def test_a_deadline_in_excluded_time_does_not_count():
    outage = ExcludedPeriod(Period(utc("2026-06-15T02:00"), utc("2026-06-15T05:00")), "Outage", "team:sales")
    assert days(AT_SIX, "12T03:00", "13T03:00", "14T03:00", exclusions=[outage]) == "gggep"


def test_what_was_kept_before_a_deadline_is_missed_from_the_deadline_on():
    (version,) = versions("12T03:00")
    assert goes_stale([version], BAVARIA, utc("2026-06-13T00:00")) == utc("2026-06-15T04:00")
    assert next_of(BAVARIA, [version], utc("2026-06-13T00:00")) == utc("2026-06-15T04:00")
    assert next_of(BAVARIA, [version], utc("2026-06-15T07:00")) == utc("2026-06-16T04:00")


@pytest.mark.parametrize(("now", "verdict"), [("2026-06-14T12:00", "met"), ("2026-06-15T03:59", "met"), ("2026-06-15T04:00", "missed")])
def test_health_turns_at_the_deadline_and_not_over_the_weekend(now, verdict):
    known = utc("2026-06-12T03:00")
    said = freshness_now(BAVARIA, "orders", PublishedState("1", "1.0.0", known, {}, {"orders": known}), Clock("Europe/Berlin", utc(now)))
    assert said.verdict == verdict and (said.value <= said.at_most) == (verdict == "met")
    if verdict == "missed":
        assert "as of Sun 14 Jun, 06:00 CEST or newer promised since Mon 15 Jun, 06:00 CEST" in said.reason
        assert "by 06:00 on working days without the holidays of DE-BY (Europe/Berlin), at most 24h old" in said.reason


def test_what_a_cron_expression_cannot_say_has_none():
    assert AT_SIX.plain_cron == "0 6 * * *"
    assert replace(AT_SIX, days=WorkingDays(without_weekends=True)).plain_cron == "0 6 * * 1-5"
    assert BAVARIA.plain_cron is None
    assert AT_SIX.shortest_gap == DAY


def test_now_is_told_in_any_zone():
    assert AT_SIX.last(datetime(2026, 6, 15, 12, tzinfo=UTC)) == utc("2026-06-15T04:00")
