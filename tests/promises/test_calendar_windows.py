"""Windows that are the month or the quarter of the calendar: what counts, and what is still to come."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from platform_resources.ledger.queries.standing import IndicatorEvidence, judged
from platform_resources.promises.attainment import attainment
from platform_resources.promises.slices import Window, window_slices
from tests.plan.test_shared_exclusions import planned
from tests.promises.moments import DAY, LONG_AGO, slices, utc

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("period", "now", "first", "so_far", "coming"),
    [
        ("month", "2026-06-15T12:00", "2026-05-31T22:00", 14, 16),
        ("month", "2026-05-31T22:00", "2026-05-31T22:00", 0, 30),
        ("month", "2026-05-31T21:59", "2026-04-30T22:00", 30, 1),
        ("quarter", "2026-06-15T12:00", "2026-03-31T22:00", 75, 16),
        ("quarter", "2026-12-31T22:59", "2026-09-30T22:00", 91, 1),
        ("month", "2026-02-01T00:00", "2026-01-31T23:00", 0, 28),
    ],
)
def test_the_window_begins_with_the_period_in_its_time_zone(period, now, first, so_far, coming):
    window = Window(30 * DAY, DAY, BERLIN, period)
    found = window_slices(window, utc(now), LONG_AGO)
    assert (found[0].start, len(found) - 1, len(window.coming(utc(now)))) == (utc(first), so_far, coming)


def test_hours_of_a_month_in_which_clocks_change_are_counted_as_they_are():
    march = Window(30 * DAY, timedelta(hours=1), BERLIN, "month")
    assert len(march.coming(utc("2026-02-28T23:00"))) == 31 * 24 - 1


def test_a_bad_day_early_in_a_month_is_paid_from_the_budget_of_the_whole_month():
    early = slices("bg")
    assert attainment(early, 95).state == "missed"
    found = attainment(early, 95, coming=28)
    assert (found.state, found.percent, found.budget.total, found.budget.left) == ("met", 50, 1.5, 0.5)
    assert attainment(slices("bbg"), 95, coming=27).state == "missed"


def test_what_is_still_to_come_weighs_what_the_others_do():
    half = attainment(slices("bg", shares=()), 50, "ratio-timeslices", coming=2)
    assert (half.state, half.budget.total) == ("met", 2)


def test_without_a_single_valid_day_nothing_is_known():
    assert attainment(slices("u"), 95, coming=29).state == "no data"


MONTHLY = "target: 95\ntimezone: UTC"


@pytest.mark.parametrize(
    ("more", "now", "states", "left"),
    [
        (MONTHLY, "2026-06-03T12:00", "bbp", -0.55),  # 28 of 30 days remain; 12 June is excluded, so 29 count: 1.45 may be bad
        (MONTHLY, "2026-07-02T12:00", "bp", 0.55),
        (f"{MONTHLY}\ndue_after: 6h", "2026-07-02T05:00", "pp", None),
        (f"{MONTHLY}\ndue_after: 6h", "2026-07-03T05:00", "bpp", 0.55),  # the second day has ended, and has until 06:00
    ],
)
def test_a_month_begins_anew_with_its_whole_budget(registry, more, now, states, left):
    plan, problems = planned(registry, "title: Plant\n", more, window="month")
    assert [each for each in problems if each.severity == "error"] == []
    nothing = IndicatorEvidence(LONG_AGO.astimezone(UTC), (), (), {})
    standing = next(each for each in judged(plan.product("readings"), nothing, utc(now)) if each.indicator.check.name == "kept")
    assert "".join(one.state[0] for one in standing.slices) == states
    budget = standing.attainment.budget
    assert (budget and budget.left) == (left and pytest.approx(left))
