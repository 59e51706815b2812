"""Provisional and final values: late readings change a slice for a while, and then never again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.promises.attainment import attainment
from platform_resources.promises.exclusions import ExcludedPeriod
from platform_resources.promises.kept_time import DatedVerdict, by_readings
from platform_resources.promises.periods import Period
from platform_resources.promises.slices import Share, Window, window_slices
from tests.promises.moments import DAY, HOUR, LONG_AGO, NOON, few, moments, states, utc

DAYS, HOURS = Window(5 * DAY), Window(6 * HOUR, HOUR)
WORDS = {"+": "met", "-": "missed", "?": "unknown"}
readings = st.lists(st.builds(DatedVerdict, moments, st.sampled_from(["met", "missed", "unknown"])), max_size=14)
lengths = st.timedeltas(timedelta(hours=1), 4 * DAY)


def read(*texts):
    """`+14T05:00` is met, `-` missed, `?` unknown; all in June 2026."""
    return [DatedVerdict(utc(f"2026-06-{text[1:]}"), WORDS[text[0]]) for text in texts]


def judged(*texts, window=DAYS, now=NOON, final_after=2 * DAY, holds=DAY, **more):
    return by_readings(window_slices(window, now, LONG_AGO), read(*texts), now, holds, final_after=final_after, **more)


MET = ["+10T05:00", "+11T05:00", "+12T05:00", "+13T05:00", "+14T05:00"]
# The slices are the 10th to the 14th and the running 15th; at noon of the 15th those of the 13th and the 14th are not final.
DAILY = [
    ("met every day", MET, "gggggp"),
    ("mended on the same day", [*MET[:2], "-12T05:00", "+12T09:00", "+13T05:00", "+14T05:00"], "gggggp"),
    ("mended the day after", [*MET[:2], "-12T05:00", "+13T05:00", "+14T05:00"], "gggggp"),
    ("mended on the last day", [*MET[:2], "-12T05:00", "-13T05:00", "+14T23:59"], "gggggp"),
    ("mended a moment too late", [*MET[:2], "-12T05:00", "-13T05:00", "-14T05:00", "+15T00:00"], "ggbggp"),
    ("not mended yet", [*MET[:4], "-14T05:00"], "ggggbp"),
    ("a breach is charged to its own day only", [*MET[:3], "-13T05:00", "-13T09:00", "-14T05:00"], "gggbbp"),
    ("broken on the same day", [*MET, "-14T09:00"], "ggggbp"),
    ("mended and broken again, which is the next day's", [*MET[:2], "-12T05:00", "+13T05:00", "-13T09:00", "-14T05:00"], "gggbbp"),
    ("today's breach is today's", [*MET, "-15T05:00"], "gggggp"),
    ("what could not be measured decides nothing", [*MET[:3], "-13T05:00", "?13T09:00", "?14T05:00"], "gggbup"),
    ("not measured, and met late", [*MET[:3], "+15T05:00"], "gggggp"),
    ("not measured, and missed late", [*MET[:3], "-15T05:00"], "gggbbp"),
    ("of two verdicts at one time the worse counts", [*MET, "-14T05:00"], "ggggbp"),
]


@pytest.mark.parametrize(("texts", "expected"), [pytest.param(*case, id=name) for name, *case in DAILY])
def test_a_breach_may_be_mended_until_its_slice_is_final(texts, expected):
    assert states(judged(*texts)) == expected


def test_without_final_after_a_missed_reading_stays():
    assert states(judged(*MET[:2], "-12T05:00", "+12T09:00", "+13T05:00", "+14T05:00", final_after=None)) == "ggbggp"


def test_what_is_bad_and_may_still_be_mended_is_counted_out():
    found = judged("-10T05:00", "-11T05:00", "+12T05:00", "-13T05:00", "-14T05:00")
    assert states(found) == "gggbbp"
    assert [one.provisional for one in found] == [False, False, False, True, True, False]
    reached = attainment(found, 80)
    assert (reached.state, reached.good, reached.bad, reached.total, reached.provisional) == ("missed", 3, 2, 5, 2)


def test_without_final_after_nothing_is_provisional():
    found = judged(*MET[:4], "-14T05:00", final_after=None)
    assert not any(one.provisional for one in found)
    assert attainment(found, 80).provisional == 0


def test_an_excluded_slice_and_an_unknown_one_are_not_among_the_bad_ones_that_are_counted_out():
    holiday = ExcludedPeriod(Period(utc("2026-06-13T00:00"), utc("2026-06-14T00:00")), "Corpus Christi", "team:sales")
    found = judged(*MET[:3], "-13T05:00", exclusions=[holiday], grace=None)
    assert states(found) == "gggeup"
    assert attainment(found, 80).provisional == 0


def test_what_is_left_to_freshness_stays_so():
    lost = [Period(utc("2026-06-13T00:00"), utc("2026-06-14T12:00"))]
    assert states(judged(*MET[:3], "+15T05:00", missing_inputs=lost)) == "gggegp"


@pytest.mark.parametrize(("grace", "expected"), [(timedelta(), "bbbuup"), (DAY, "bbbuup"), (3 * DAY, "bbuuup"), (None, "uuuuup")])
def test_what_was_not_measured_stays_unknown_until_it_is_final(grace, expected):
    assert states(judged(grace=grace)) == expected


def test_an_hour_without_a_reading_is_as_the_verdict_that_held_and_mended_like_any_other():
    assert states(judged("-15T05:00", "+15T09:30", window=HOURS, final_after=HOUR)) == "bbggggp"


def test_one_slice_is_one_event():
    assert judged(*MET[:2], "-12T05:00", "-12T06:00", "?12T07:00", "+13T05:00")[2].share == Share(1, 1)


@few
@given(readings, readings, lengths, moments)
def test_a_final_slice_never_changes_by_later_readings(early, late, final_after, seen):
    """What is final at a moment is the same whatever is read from then on, as seen at that moment and at any later one."""
    whole = [one for one in window_slices(DAYS, NOON, LONG_AGO) if one.end + final_after <= seen]
    before = [reading for reading in early if reading.at < seen]
    after = [reading for reading in late if reading.at >= seen]
    then = by_readings(whole, before, seen, DAY, timedelta(), final_after=final_after)
    now = by_readings(whole, [*before, *after], NOON, DAY, timedelta(), final_after=final_after)
    assert then == now
    assert not any(one.provisional for one in then)


@few
@given(readings, readings, lengths, moments)
def test_a_good_slice_that_is_over_stays_good(early, late, final_after, seen):
    whole = [one for one in window_slices(DAYS, NOON, LONG_AGO) if one.end <= seen]
    before = [reading for reading in early if reading.at < seen]
    after = [reading for reading in late if reading.at >= seen]
    then = by_readings(whole, before, seen, DAY, final_after=final_after)
    now = by_readings(whole, [*before, *after], NOON, DAY, final_after=final_after)
    held = [one.start for one in then if one.state == "good"]
    assert {one.state for one in now if one.start in held} <= {"good"}


@few
@given(readings, lengths)
def test_time_to_mend_makes_nothing_worse(events, final_after):
    whole = window_slices(DAYS, NOON, LONG_AGO)
    at_once = by_readings(whole, events, NOON, DAY)
    mendable = by_readings(whole, events, NOON, DAY, final_after=final_after)
    assert all(new.state == "good" for old, new in zip(at_once, mendable, strict=True) if old.state == "good")


@few
@given(readings, lengths, moments)
def test_what_is_over_and_not_good_is_provisional_or_final(events, final_after, now):
    for one in by_readings(window_slices(DAYS, now, LONG_AGO), events, now, DAY, final_after=final_after):
        assert one.provisional == (one.state in ("bad", "unknown") and now < one.end + final_after)


@few
@given(readings, moments)
def test_what_is_provisional_changes_no_count_but_its_own(events, now):
    found = by_readings(window_slices(DAYS, now, LONG_AGO), events, now, DAY, final_after=DAY)
    plain = attainment([replace(one, provisional=False) for one in found], 80)
    assert replace(attainment(found, 80), provisional=0) == plain
