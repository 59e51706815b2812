"""A refresh that goes on for far longer than usual may never end."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.objectives.overdue import longest, overdue

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
    assert overdue(BEGAN, BEGAN + longest(usual), usual) == ""
    assert overdue(BEGAN, BEGAN + longest(usual) + timedelta(seconds=1), usual) != ""


@pytest.mark.parametrize(
    ("usual", "hours", "told"),
    [
        ((290, 300, 310), 1, "has not ended after 60 min; usual is 5 min"),
        ((4, 4), 3, "has not ended after 3.0 h; usual is 4 s"),
        ((), 30, "has not ended after 30.0 h; none has ended well before"),
    ],
)
def test_it_is_told_when_it_began_and_what_is_usual(usual, hours, told):
    assert overdue(BEGAN, BEGAN + timedelta(hours=hours), usual) == f"the refresh that began at 2026-03-02 05:00 UTC {told}; {REMEDY}"
