"""Verdicts over time: states held, slices judged by readings, what was not measured, what is not theirs to pay."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.exclusions import ExcludedPeriod
from platform_resources.promises.kept_time import DatedVerdict, by_readings
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import Share, Window, window_slices
from tests.promises.moments import DAY, HOUR, LONG_AGO, NOON, few, moments, states, utc

DAYS, HOURS = Window(3 * DAY), Window(6 * HOUR, HOUR)
WORDS = {"+": "met", "-": "missed", "?": "unknown"}
readings = st.lists(st.builds(DatedVerdict, moments, st.sampled_from(["met", "missed", "unknown"])), max_size=12)


def read(*texts):
    """`+14T05:00` is met, `-` missed, `?` unknown; all in June 2026."""
    return [DatedVerdict(utc(f"2026-06-{text[1:]}"), WORDS[text[0]]) for text in texts]


def judged(*texts, window=DAYS, holds=DAY, grace=None, missing=(), exclusions=()):
    periods = [Period(utc(f"2026-06-{start}"), utc(f"2026-06-{end}")) for start, end in missing]
    return by_readings(window_slices(window, NOON, LONG_AGO), read(*texts), NOON, holds, grace, periods, exclusions)


DAILY = [
    ("met every day", ["+12T05:00", "+13T05:00", "+14T05:00"], "gggp"),
    ("missed once a day is bad", ["+12T05:00", "-12T06:00", "+12T07:00", "+13T05:00", "+14T05:00"], "bggp"),
    ("a failure is charged to its own day only", ["+12T05:00", "-13T05:00", "+14T05:00"], "gbgp"),
    ("due and not measured", ["+12T05:00", "+14T05:00"], "gugp"),
    ("tried and could not be measured", ["+12T05:00", "?13T05:00", "+14T05:00"], "gugp"),
    ("measured at the second try", ["+12T05:00", "?13T05:00", "+13T06:00", "+14T05:00"], "gggp"),
    ("nothing at all", [], "uuup"),
    ("of two verdicts at one time the worse counts", ["+12T05:00", "-12T05:00", "+13T05:00", "+14T05:00"], "bggp"),
    ("midnight is the next day's", ["-13T00:00", "+14T05:00"], "ubgp"),
    ("dated after now has not happened", ["+15T13:00"], "uuup"),
]


@pytest.mark.parametrize(("texts", "expected"), [pytest.param(*case, id=name) for name, *case in DAILY])
def test_a_day_is_judged_by_its_readings(texts, expected):
    assert states(judged(*texts)) == expected


HOURLY = [
    ("the verdict of the morning holds all day", ["+15T05:00"], DAY, "ggggggp"),
    ("a failure holds until the next reading", ["-15T05:00", "+15T08:10"], DAY, "bbggggp"),
    ("until a reading is due", ["+15T05:00"], 3 * HOUR, "gguuuup"),
    ("an unknown reading is no verdict to hold, nor does it end one for the hours after", ["+15T05:00", "?15T07:30"], DAY, "guggggp"),
    ("yesterday's no longer holds in the hour in which the next is due", ["+14T07:30", "+15T08:10"], DAY, "guggggp"),
]


@pytest.mark.parametrize(("texts", "holds", "expected"), [pytest.param(*case, id=name) for name, *case in HOURLY])
def test_between_readings_the_state_holds(texts, holds, expected):
    assert states(judged(*texts, window=HOURS, holds=holds)) == expected


GRACES = [(None, "uuup"), (timedelta(), "bbbp"), (DAY, "bbup"), (12 * HOUR, "bbbp"), (13 * HOUR, "bbup")]


@pytest.mark.parametrize(("grace", "expected"), GRACES)
def test_after_its_grace_an_unknown_slice_counts_as_bad_but_not_as_measured(grace, expected):
    found = judged(grace=grace)
    assert states(found) == expected
    assert not any(one.measured for one in found)


def test_where_the_input_never_came_the_slice_is_left_to_freshness():
    assert states(judged("+12T05:00", missing=[("13T02:00", "14T09:00")], grace=timedelta())) == "gebp"


def test_where_the_input_came_late_in_the_slice_it_should_have_been_measured():
    assert states(judged("+12T05:00", "+14T05:00", missing=[("13T02:00", "13T20:00")])) == "gugp"


def test_where_the_input_never_came_a_reading_still_counts():
    assert states(judged("+12T05:00", "-13T05:00", "+14T05:00", missing=[("13T02:00", "14T09:00")])) == "gbgp"


def test_a_holiday_counts_neither_good_nor_bad():
    holiday = ExcludedPeriod(Period(utc("2026-06-13T00:00"), utc("2026-06-14T00:00")), "Corpus Christi", "team:sales")
    assert states(judged("+12T05:00", "-13T05:00", "+14T05:00", exclusions=[holiday])) == "gegp"


def test_a_holiday_of_half_a_day_excuses_nothing():
    half = ExcludedPeriod(Period(utc("2026-06-13T00:00"), utc("2026-06-13T12:00")), "Carnival", "team:sales")
    assert states(judged("+12T05:00", "-13T05:00", "+14T05:00", exclusions=[half])) == "gbgp"


def test_readings_are_counted_for_occurrences():
    assert judged("+12T05:00", "-12T06:00", "?12T07:00", "+12T08:00")[0].share == Share(2, 3)


@few
@given(readings, st.randoms(use_true_random=False))
def test_order_and_repetition_of_readings_change_nothing(events, random):
    shuffled = [*events, *events[:3]]
    random.shuffle(shuffled)
    whole = window_slices(DAYS, NOON, LONG_AGO)
    assert by_readings(whole, events, NOON, DAY) == by_readings(whole, shuffled, NOON, DAY)


@few
@given(readings, st.none() | st.timedeltas(timedelta(), 3 * DAY))
def test_nothing_is_good_without_a_met_reading(events, grace):
    without = [event for event in events if event.verdict != "met"]
    assert "g" not in states(by_readings(window_slices(DAYS, NOON, LONG_AGO), without, NOON, 5 * DAY, grace))
