"""A refresh that goes on for far longer than usual may never end."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.promises.overdue import longest, overdue
from platform_resources.spec.values.clocks import Clock

BEGAN = datetime(2026, 3, 2, 5, tzinfo=UTC)
REMEDY = "if its process is gone, terminate its run in Dagster"


@pytest.mark.parametrize(
    ("usual", "minutes"),
    [
        ((3, 4, 5), 15),
        ((600, 600, 600), 30),
        ((600, 600, 7200), 120),
        ((), 24 * 60),
    ],
)
def test_it_may_take_three_times_the_usual_as_long_as_any_before_and_a_quarter_of_an_hour(usual, minutes):
    assert longest(usual) == timedelta(minutes=minutes)
    assert overdue(BEGAN, Clock("UTC", BEGAN + longest(usual)), usual) == ""
    assert overdue(BEGAN, Clock("UTC", BEGAN + longest(usual) + timedelta(seconds=1)), usual) != ""


@pytest.mark.parametrize(
    ("usual", "hours", "told"),
    [
        ((290, 300, 310), 1, "has not ended after 1 h; usual is 5 min"),
        ((4, 4), 3, "has not ended after 3 h; usual is 4 s"),
        ((), 30, "has not ended after 30 h; none has ended well before"),
    ],
)
def test_it_is_told_when_it_began_and_what_is_usual(usual, hours, told):
    clock = Clock("Europe/Berlin", BEGAN + timedelta(hours=hours))
    assert overdue(BEGAN, clock, usual) == f"the refresh that began at Mon 2 Mar, 06:00 CET {told}; {REMEDY}"
